import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadedSize, readElf } from "#formats/elf";
import { copyStripped } from "../../../builder/pack/runtime/strip.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-strip-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a stripped Node is smaller, needs the same of its host, and runs", async () => {
  const output = join(folder, "node");
  await copyStripped(process.execPath, output);
  assert.ok(statSync(output).size < 0.9 * statSync(process.execPath).size);
  assert.deepEqual(readElf(output), readElf(process.execPath));
  assert.equal(statSync(output).mode & 0o777, 0o755);
  assert.equal(execFileSync(output, ["-p", "process.version"], { encoding: "utf8" }).trim(), process.version);
});

test("nothing that is loaded is cut off, and a stripped file has nothing left to strip", async () => {
  const [once, twice] = [join(folder, "once"), join(folder, "twice")];
  await copyStripped("/bin/tar", once);
  await copyStripped(once, twice);
  assert.equal(statSync(once).size, loadedSize("/bin/tar"));
  assert.equal(statSync(twice).size, statSync(once).size);
  assert.match(execFileSync(once, ["--version"], { encoding: "utf8" }), /GNU tar/);
});

test("a file whose segment headers are cut off is damaged, and nothing is written", async () => {
  const [cut, output] = [join(folder, "cut"), join(folder, "none")];
  copyFileSync("/bin/tar", cut);
  truncateSync(cut, 100);
  await assert.rejects(copyStripped(cut, output), /ends too early/);
  assert.equal(statSync(output, { throwIfNoEntry: false }), undefined);
});
