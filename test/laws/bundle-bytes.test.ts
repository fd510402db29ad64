import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { digestFile } from "#bundle";
import { pack } from "../../builder/pack/pack.ts";
import { sampleCluster } from "../builders/sample-cluster.ts";
import { runs } from "../programs/runs.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-bytes-"));
after(() => rmSync(root, { recursive: true, force: true }));

async function packed(order?: <Item>(items: readonly Item[]) => Item[]): Promise<string> {
  const folder = mkdtempSync(join(root, "x-"));
  const options = await sampleCluster(folder, order === undefined ? {} : { order });
  const { path } = await pack({ ...options, output: join(folder, "out.tar") });
  const { digest } = digestFile(path);
  rmSync(folder, { recursive: true });
  return digest;
}

test("the same input in any order gives the same bytes", async () => {
  const wanted = await packed();
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
      const shuffle = <Item>(items: readonly Item[]): Item[] =>
        items
          .map((item) => ({ item, key: numbers.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ item }) => item);
      assert.equal(await packed(shuffle), wanted);
    }),
    { numRuns: runs(5) },
  );
});

test("another time zone, locale, umask and directory give the same bytes", async () => {
  const wanted = await packed();
  const program = `
    process.umask(0o077);
    const { sampleCluster } = await import(${JSON.stringify(join(import.meta.dirname, "../builders/sample-cluster.ts"))});
    const { pack } = await import(${JSON.stringify(join(import.meta.dirname, "../../builder/pack/pack.ts"))});
    const { digestFile } = await import(${JSON.stringify(join(import.meta.dirname, "../../installer/bundle/index.ts"))});
    const options = await sampleCluster(process.argv[1]);
    const { path } = await pack({ ...options, output: process.argv[1] + "/out.tar" });
    console.log(digestFile(path).digest);`;
  for (const [TZ, LANG] of [
    ["Pacific/Chatham", "tr_TR.UTF-8"],
    ["America/New_York", "C"],
  ]) {
    const folder = mkdtempSync(join(root, "y-"));
    const argv = ["--input-type=module", "-e", program, folder];
    const found = execFileSync(process.execPath, argv, { env: { TZ, LANG }, encoding: "utf8", cwd: folder }).trim();
    assert.equal(found, wanted, TZ);
  }
});
