/** Ansible's inventory of a hosts.yaml: what ssh is told, and what cannot be said there. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BundleIndex, openBundle } from "#bundle";
import { isExpected } from "#cli/errors";
import { inventoryOf } from "../../../builder/export/ansible-inventory.ts";
import { writeNodeBundle } from "../../builders/node-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-ansible-inventory-"));
let index: BundleIndex;
before(async () => {
  ({ index } = await openBundle(await writeNodeBundle(join(folder, "bundle.tar"))));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function allOf(text: string) {
  writeFileSync(join(folder, "hosts.yaml"), text);
  const { inventory } = await inventoryOf(join(folder, "hosts.yaml"), index);
  return inventory["all"] as { vars: unknown; hosts: Record<string, Record<string, unknown>>; children: unknown };
}

test("logins, jump hosts and known hosts are what ssh is told; a host is in the group of each of its roles", async () => {
  const { vars, hosts, children } = await allOf(`
knownHosts: /srv/known
keys: /srv/plant.keys
defaults: { user: carrier, sudo: true, password: ask, jump: { address: gate, port: 2200, user: me, identity: /srv/id } }
hosts:
  - { node: n1, address: n1.mgmt, port: 2222, identity: /srv/n1, jump: none, sudo: false }
  - { ip: 10.0.0.50, name: w50, root: /mnt }
`);
  assert.deepEqual(vars, { kubeferry_keys: "/srv/plant.keys" });
  assert.deepEqual(hosts["n1"], {
    ansible_host: "n1.mgmt",
    ansible_port: 2222,
    ansible_user: "carrier",
    ansible_ssh_private_key_file: "/srv/n1",
    ansible_ssh_common_args: "-o UserKnownHostsFile=/srv/known -o StrictHostKeyChecking=yes",
    kubeferry_node: "n1",
    kubeferry_ip: "10.0.0.11",
    kubeferry_roles: ["etcd", "master", "worker"],
    kubeferry_folder: "/opt/kubeferry",
  });
  const known = "-o UserKnownHostsFile=/srv/known -o StrictHostKeyChecking=yes";
  assert.deepEqual(hosts["w50"], {
    ansible_host: "10.0.0.50",
    ansible_port: 22,
    ansible_user: "carrier",
    ansible_ssh_common_args: `${known} -o 'ProxyCommand=ssh ${known} -W [%h]:%p -p 2200 -i /srv/id -l me gate'`,
    ansible_become: true,
    kubeferry_node: "worker",
    kubeferry_ip: "10.0.0.50",
    kubeferry_roles: ["worker"],
    kubeferry_name: "w50",
    kubeferry_root: "/mnt",
    kubeferry_folder: "/opt/kubeferry",
  });
  assert.deepEqual(children, {
    kubeferry_etcd: { hosts: { n1: {} } },
    kubeferry_masters: { hosts: { n1: {} } },
    kubeferry_workers: { hosts: { n1: {}, w50: {} } },
  });
});

test("a path that ssh, a shell or a template would read otherwise is refused, and one file with every node's key", async () => {
  writeFileSync(join(folder, "all.key"), "");
  for (const wrong of [
    "defaults: { identity: '/srv/{{ x }}' }\nhosts: [{ node: n1 }]",
    "knownHosts: '/srv/a b'\nhosts: [{ node: n1 }]",
    "hosts: [{ node: n1, root: '/mnt/$(id)' }]",
    `keys: ${folder}/all.key\nhosts: [{ node: n1 }]`,
  ])
    await assert.rejects(allOf(wrong), (error) => isExpected(error, "CONFIG_INVALID"), wrong);
});
