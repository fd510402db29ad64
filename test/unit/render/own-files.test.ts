/** `files:` of cluster.yaml: the operator's own files, on the nodes that they are for. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { groupContents } from "../../../builder/pack/groups.ts";
import type { Rendered } from "../../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { filesOf } from "../../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-own-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Neither text nor free of what looks like a token. */
const bytes = Buffer.from([0x00, 0xff, 0xfe, ...Buffer.from("@NODE_IP@\n")]);
writeFileSync(join(folder, "blob"), bytes);
writeFileSync(join(folder, "text"), "kind: Config\n");
writeFileSync(join(folder, "large"), "");
truncateSync(join(folder, "large"), 65 * 1024 * 1024);

const cluster = `
name: plant-7
release: kubernetes-1.36
nodes:
  - { name: m1, ip: 10.0.0.11, roles: [etcd, master] }
  - { name: w1, ip: 10.0.0.21, roles: [worker] }
  - { name: w2, ip: 10.0.0.22, roles: [worker] }
`;

async function render(files: string, more = ""): Promise<Rendered> {
  return renderFixture(await fixtureCluster(`${cluster}files:\n${files}\n${more}`, join(folder, "cluster.yaml")));
}

function placed(rendered: Rendered, node: string, path: string) {
  const file = filesOf(rendered, node).find((one) => one.path === path);
  if (file === undefined) return null;
  const { mode, owner, content, sensitive } = file;
  return { mode, owner, sensitive, bytes: typeof content === "string" ? null : content.bytes };
}

test("a file goes to the nodes of its roles with its mode and owner, byte for byte", async () => {
  const rendered = await render(`
  - { path: /opt/plant/blob, source: blob, roles: [worker], mode: "0750", owner: "12:34" }
  - { path: /etc/plant.conf, source: text, nodes: [w2] }
  - { path: /etc/plant.key, source: text, roles: [control-plane], secret: true }`);
  const blob = { mode: "0750", owner: "12:34", sensitive: false, bytes };
  assert.deepEqual(placed(rendered, "w1", "/opt/plant/blob"), blob);
  assert.deepEqual(placed(rendered, "w2", "/opt/plant/blob"), blob);
  assert.equal(placed(rendered, "m1", "/opt/plant/blob"), null);
  assert.equal(placed(rendered, "w1", "/etc/plant.conf"), null);
  assert.equal(placed(rendered, "w2", "/etc/plant.conf")?.mode, "0644");
  const secret = { mode: "0600", owner: "0:0", sensitive: true, bytes: Buffer.from("kind: Config\n") };
  assert.deepEqual(placed(rendered, "m1", "/etc/plant.key"), secret);
  assert.equal(placed(rendered, "w1", "/etc/plant.key"), null);
  assert.deepEqual(
    rendered.files.find(({ path }) => path === "/etc/plant.key")?.for.nodes,
    ["m1"],
    "sealed for it alone",
  );
});

test("the bytes of a secret are in none of the bundle's blobs", async () => {
  writeFileSync(join(folder, "hidden"), "a secret of the operator's");
  const { files } = await render(`  - { path: /etc/plant.key, source: hidden, secret: true }`);
  const own = files.filter(({ path }) => path === "/etc/plant.key");
  assert.equal(own.length, 1);
  assert.deepEqual(groupContents(own, { artifacts: [] }), []);
});

test("a unit restarts when an own file changes that its flags name, or that is a drop-in of it", async () => {
  const { units } = await render(
    `
  - { path: /etc/plant/admission.yaml, source: text, roles: [master] }
  - { path: /etc/systemd/system/kubelet.service.d/10-plant.conf, source: text, roles: [worker] }`,
    "flags: { kube-apiserver: { admission-control-config-file: /etc/plant/admission.yaml } }\n",
  );
  const behind = (name: string): readonly string[] => units.find((unit) => unit.name === name)?.restartOn ?? [];
  assert.ok(behind("kube-apiserver.service").includes("/etc/plant/admission.yaml"));
  assert.ok(behind("kubelet.service").includes("/etc/systemd/system/kubelet.service.d/10-plant.conf"));
  assert.ok(!behind("kube-proxy.service").some((path) => path.includes("plant")));
});

test("what cannot be placed is refused, each with its place", async () => {
  const refused = [
    ["  - { path: /etc/x, source: absent }", /cluster\.yaml:9:\d+: cannot read absent/],
    ["  - { path: /etc/x, source: large }", /cluster\.yaml:9:\d+: large has .*, and a file here may have/],
    ["  - { path: /etc/x, source: text, nodes: [w9] }", /there is no node w9; there are m1, w1, w2/],
    ["  - { path: /etc/x, source: text, mode: 0644 }", /wants text, in quotes, found 644/],
    ['  - { path: /etc/x, source: text, secret: true, mode: "0644" }', /a secret is for its owner alone: 0600/],
    ["  - { path: /run/x, source: text }", /nothing of an operator's stays in \/run/],
    ["  - { path: /etc/../x, source: text }", /wants an absolute path/],
    ["  - { path: /etc/kubernetes/kubelet-config.yaml, source: text }", /kubelet-config\.yaml is already placed/],
    ["  - { path: /var/lib/kubelet, source: text }", /\/var\/lib\/kubelet is already placed/],
    [
      "  - { path: /etc/x, source: text }\n  - { path: /etc/x, source: blob, nodes: [w1] }",
      /\/etc\/x is already placed/,
    ],
  ] as const;
  for (const [files, message] of refused) {
    await assert.rejects(render(files), (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"), String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  // The same path on other nodes is another file.
  await render("  - { path: /etc/x, source: text, nodes: [w2] }\n  - { path: /etc/x, source: blob, nodes: [w1] }");
});
