/** `verify`, `inspect`, `split`: what they count, and how they end. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runKubeferry } from "../../programs/command.ts";
import { standInCluster } from "../../fakes/stand-in-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-bundle-commands-"));
const bundle = join(folder, "plant-7.tar");
before(async () => {
  const cluster = await standInCluster(folder, "workers: { subnet: 10.0.0.0/24 }\n");
  const built = await runKubeferry(["build", cluster.config, ...cluster.store, ...cluster.installers, "-o", bundle]);
  assert.equal(built.code, 0, built.err);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("verify counts the parts that the list names, however they are given", async () => {
  const parts = join(folder, "sticks/new");
  const split = await runKubeferry(["split", bundle, "--size", "100kB", "-o", parts]);
  assert.equal(split.code, 0, split.err);
  const names = split.out.split("\n").filter((line) => /part-\d+$/.test(line));
  assert.ok(names.length > 1);
  const list = join(parts, "plant-7.tar.parts");
  for (const given of [[list], names, [...names, list], names.slice(0, 1)]) {
    const ran = await runKubeferry(["verify", ...given]);
    assert.equal(ran.code, 0, ran.err);
    assert.ok(ran.out.startsWith(`all ${names.length} parts are what they should be`), ran.out);
  }
});

test("inspect of a node that is not there says which there are, and of a node shows its files and no other role's", async () => {
  const unknown = await runKubeferry(["inspect", bundle, "--node", "nx"]);
  assert.equal(unknown.code, 3);
  assert.match(unknown.err, /nx is not a node[\s\S]*n1/);
  const worker = await runKubeferry(["inspect", bundle, "--node", "worker"]);
  assert.equal(worker.code, 0);
  assert.match(worker.out, /\/kubelet\.service /);
  assert.doesNotMatch(worker.out, /\/etcd\.service /);
  const json = await runKubeferry(["inspect", bundle, "--node", "worker", "--json"]);
  const types = new Set(
    json.out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { type: string }).type),
  );
  assert.deepEqual([...types], ["file", "end"]);
});

test("a bundle that is not there is a wrong call: exit 2, of every command that reads one", async () => {
  const none = join(folder, "nosuch.tar");
  const calls = [
    ["verify", none],
    ["inspect", none],
    ["certs", none],
    ["diff", none, bundle],
    ["split", none, "--size", "1GB"],
  ];
  for (const argv of calls) {
    const ran = await runKubeferry(argv);
    assert.equal(ran.code, 2, `${argv.join(" ")}: ${ran.err}`);
    assert.match(ran.err, /there is no such bundle[\s\S]*nosuch\.tar/);
  }
});
