/**
 * Golden trees: each cluster.yaml below clusters/ and what is rendered for it. A change to hosts shows as a diff in
 * review. `UPDATE_GOLDEN=1` writes them anew. Keys are placeholders and binaries only names, so nothing varies.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundleIndex } from "../../installer/bundle/format.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { compare } from "./compare.ts";
import { texts, tree } from "./tree.ts";

const folder = join(import.meta.dirname, "clusters");

for (const name of readdirSync(folder).toSorted()) {
  test(`the nodes of ${name} are rendered as they were reviewed`, async () => {
    const dir = join(folder, name);
    const cluster = await fixtureCluster(readFileSync(join(dir, "cluster.yaml"), "utf8"));
    const rendered = renderFixture(cluster);
    compare(dir, new Map([["tree.txt", tree(rendered)], ...texts(rendered)]));
  });
}

const taken = bundleIndex.pick({
  ...{ nodes: true, directories: true, units: true, host: true, checks: true, objects: true },
  ...{ certificates: true, written: true, pods: true, keys: true },
});

for (const name of readdirSync(folder).toSorted()) {
  test(`what is rendered of ${name} is what a bundle's index takes`, async () => {
    const text = readFileSync(join(folder, name, "cluster.yaml"), "utf8");
    const { files: _, ...rendered } = renderFixture(await fixtureCluster(text));
    assert.deepEqual(taken.parse(rendered), rendered);
  });
}

test("rendering twice gives the same", async () => {
  const text = readFileSync(join(folder, "1.36-etcd-apart/cluster.yaml"), "utf8");
  assert.deepEqual(renderFixture(await fixtureCluster(text)), renderFixture(await fixtureCluster(text)));
});
