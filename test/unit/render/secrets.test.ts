import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { filesOf } from "../../builders/placed-node.ts";

/** Masters know every node's token. */
const tokensOfAll = /\/(token\.csv|bootstrap-tokens\.yaml)$/;
const golden = join(import.meta.dirname, "../../golden/clusters");

for (const name of readdirSync(golden)) {
  const text = readFileSync(join(golden, name, "cluster.yaml"), "utf8");

  test(`${name}: a worker gets no CA's key, no other node's key, and no token but its own`, async () => {
    const cluster = await fixtureCluster(text);
    const rendered = renderFixture(cluster);
    for (const { name: node, roles } of cluster.topology.nodes) {
      for (const file of filesOf(rendered, node)) {
        if (typeof file.content !== "string") continue;
        // Kubeconfigs hold base64 of the placeholders.
        const content = file.content.replaceAll(/(?<=-data: )\S+/g, (data) => Buffer.from(data, "base64").toString());
        for (const [secret, what, owner] of content.matchAll(/\[(?:key|token) ?\.?([\w -]*?)(?: ?of (\S+?))?\]/g)) {
          const shared = owner === undefined;
          const where = `${secret} in ${file.path} of ${node}`;
          if (shared) assert.ok(roles.includes("master"), where);
          else if (!roles.includes("master") || !tokensOfAll.test(file.path)) assert.equal(owner, node, where);
          if (what?.endsWith("CA") === true)
            assert.equal(what, "kubernetes CA", "no other CA's key leaves the PKI directory");
        }
        if (/\[(key|token|encryption)/.test(content)) {
          assert.ok(file.sensitive && file.mode === "0600" && file.for.nodes !== undefined, `${file.path} is guarded`);
        }
      }
    }
  });

  test(`${name}: what is sensitive is 0600 and for named nodes; what is not holds no secret`, async () => {
    const rendered = renderFixture(await fixtureCluster(text));
    for (const file of rendered.files) {
      if (file.sensitive) assert.ok(file.mode === "0600" && (file.for.nodes?.length ?? 0) > 0, file.path);
      else assert.ok(!/\[(key|token|encryption)/.test(JSON.stringify(file.content)), file.path);
    }
  });
}
