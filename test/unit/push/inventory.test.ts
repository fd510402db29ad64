/** hosts.yaml against a bundle: defaults settled, and every mistake told with its line and column at once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BundleIndex, openBundle } from "#bundle";
import { isExpected } from "#cli/errors";
import { readInventory } from "../../../builder/push/inventory.ts";
import { groupsOf } from "../../../builder/push/order.ts";
import { writeNodeBundle } from "../../builders/node-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-inventory-"));
let index: BundleIndex;
before(async () => {
  ({ index } = await openBundle(await writeNodeBundle(join(folder, "bundle.tar"))));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string) => readInventory("/srv/hosts.yaml", text, index, "/home/me");

test("a host has what its own entry says, then the defaults, then the bundle", () => {
  const { hosts, knownHosts, keys } = read(`
keys: plant.keys
defaults: { user: carrier, sudo: true, identity: ~/.ssh/id, password: ask, jump: { address: gate } }
hosts:
  - { node: n2 }
  - { node: n1, address: n1.mgmt, port: 2222, sudo: false, jump: none, roles: [control-plane] }
  - { ip: 10.0.0.50, name: w50, user: root, password: { file: /run/pass } }
`);
  const [n2, n1, w50] = hosts;
  assert.deepEqual([knownHosts, keys], ["/home/me/.ssh/known_hosts", "/srv/plant.keys"]);
  assert.deepEqual(
    [n2?.login.address, n2?.login.user, n2?.login.identity],
    ["10.0.0.12", "carrier", "/home/me/.ssh/id"],
  );
  assert.deepEqual([n2?.sudo, n2?.jump?.address, n2?.jump?.user, n2?.roles], [true, "gate", "root", ["worker"]]);
  assert.deepEqual(
    [n1?.login.address, n1?.login.port, n1?.jump, n1?.roles, n1?.name],
    ["n1.mgmt", 2222, null, ["master"], null],
  );
  assert.deepEqual(
    [w50?.label, w50?.node, w50?.ip, w50?.name, w50?.login.password?.file],
    ["w50", "worker", "10.0.0.50", "w50", "/run/pass"],
  );
  assert.equal(n1?.login.password, n2?.login.password, "a password of the defaults is asked once");
  assert.deepEqual(
    groupsOf(hosts, 4).map((group) => [group.name, group.parallel, group.hosts.map(({ label }) => label)]),
    [
      ["control plane", 1, ["n1"]],
      ["workers", 4, ["n2", "w50"]],
    ],
  );
});

test("a node is found by its IPv6 address however it is spelled", () => {
  const six = structuredClone(index);
  for (const node of six.nodes) if (node.name === "n1") node.ip = "fd00:64:3::11";
  const text = 'hosts: [{ ip: "FD00:64:3:0:0:0:0:11" }]\n';
  const [n1] = readInventory("/srv/hosts.yaml", text, six, "/home/me").hosts;
  assert.deepEqual([n1?.label, n1?.ip, n1?.login.address], ["n1", "fd00:64:3::11", "fd00:64:3::11"]);
});

test("what cannot be meant is told with line and column, all at once", () => {
  const wrong = `hosts:
  - { node: n9 }
  - { ip: 192.168.1.1 }
  - { node: n1, ip: 10.0.0.11 }
  - { node: n2, roles: [etcd] }
  - { node: n1, name: other }
  - { node: n1 }
  - { ip: 10.0.0.11, address: elsewhere }
`;
  assert.throws(
    () => read(wrong),
    (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"));
      const places = error.problems.map(({ where, message }) => `${where} ${message}`);
      const expected = [
        /^\/srv\/hosts\.yaml:2:13 n9 is no node of this bundle; it has n1 \(10\.0\.0\.11\), n2 .*10\.0\.0\.0\/24 as ip$/,
        /^\S+:3:11 192\.168\.1\.1 is no node/,
        /^\S+:4:13 wants either node or ip/,
        /^\S+:5:\d+ n2 is worker in this bundle, not etcd/,
        /^\S+:6:23 the name of a node of cluster\.yaml is settled in the bundle: n1/,
      ];
      for (const [at, pattern] of expected.entries()) assert.match(places[at] ?? "", pattern);
      return true;
    },
  );
  assert.throws(
    () => read("hosts:\n  - { node: n1 }\n  - { ip: 10.0.0.11, address: elsewhere }\n"),
    /:3:5: 10\.0\.0\.11 is there already, as n1/,
  );
  assert.throws(() => read("hosts:\n  - { node: n1, pasword: ask }\n"), /:2:17: .*pasword.*password/);
});
