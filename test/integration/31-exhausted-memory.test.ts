/** Bundles that would exhaust the memory of whoever reads them, read by a process that has 300 MB. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { sample, tarOf, withIndex } from "../builders/sample-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-memory-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("what would exhaust the memory is refused by a process that has 300 MB", async () => {
  const good = await sample();
  const index = JSON.parse(good.members[0]?.content.toString("utf8") ?? "") as Record<string, unknown>;
  const many = (count: number, text: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => text(at)).join(",");
  const edited = (key: string, text: string): string => JSON.stringify({ ...index, [key]: "@" }).replace('"@"', text);
  const blob = digestOf("x");
  const bombs: Record<string, string> = {
    deep: "[".repeat(60_000_000),
    "deep inside": edited("nodes", `${"[".repeat(1000)}${"]".repeat(1000)}`),
    "many objects": edited("files", `[${many(2_900_000, () => "{}")}]`),
    "too many objects": edited("files", `[${many(7_000_000, () => "{}")}]`),
    "many numbers in one": edited("nodes", `[{"name":[${many(2_000_000, () => "1")}]}]`),
    "many unknown keys": `{${many(500_000, (at) => `"k${at}":1`)}}`,
    // Quadratic in an older reader: 80,000 contents took 50 s.
    "contents of one blob": edited(
      "contents",
      `{${many(100_000, (at) => `"${digestOf(String(at))}":{"size":1,"blob":"${blob}","offset":${at}}`)}}`,
    ),
    "wrong contents": edited("contents", `{${many(300_000, (at) => `"${String(at).padStart(64, "0")}":{"size":-1}`)}}`),
  };
  for (const [name, text] of Object.entries(bombs)) {
    const path = join(folder, "bomb.tar");
    writeFileSync(path, withIndex(good, Buffer.from(text)));
    assert.equal(refusedBy(path), 5, name);
  }
  const sums = join(folder, "sums.tar");
  writeFileSync(
    sums,
    tarOf([
      { path: "SHA256SUMS", mode: 0o644, content: Buffer.alloc(32_000_000, "\n") },
      ...good.members.filter(({ path }) => path !== "SHA256SUMS"),
    ]),
  );
  assert.equal(refusedBy(sums), 5, "a list of line feeds");
});

function refusedBy(path: string): number | null {
  const argv = ["--max-old-space-size=300", "builder/main.ts", "verify", path];
  const { status, stderr } = spawnSync(process.execPath, argv, {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  assert.doesNotMatch(stderr, /heap out of memory|This is a bug/, path);
  return status;
}
