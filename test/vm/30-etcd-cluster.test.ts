/** Three machines on a private network become one etcd cluster that bears the loss of a member. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, insert, mountBundle } from "../machines/bundle.ts";
import { etcdctl, install, must, undo } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreCluster } from "../machines/vm.ts";

const cluster = `name: three
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd] }
  - { name: n2, ip: 10.0.0.12, roles: [etcd] }
  - { name: n3, ip: 10.0.0.13, roles: [etcd] }
`;
const addresses = ["10.0.0.11", "10.0.0.12", "10.0.0.13"];

test("three members form a cluster, lose one to a power cut, lose one to the network, and are taken back", async () => {
  const bundle = await buildBundle(cluster);
  const keys = readFileSync(bundle.keys, "utf8");
  await using running = await restoreCluster(3);
  const [first, second, third] = running.machines;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const before = await Promise.all(
    running.machines.map(async (machine) => {
      await insert(machine, bundle, keys);
      return captureState(machine);
    }),
  );

  // One after the other, as an operator goes from host to host: the first cannot be healthy on its own.
  for (const [position, machine] of running.machines.entries())
    await must(machine, install("etcd", addresses[position]));
  await healthy(first, addresses);
  await write(first, "all three");

  await third.powerCut();
  await write(first, "two of three");
  await third.powerOn();
  await healthy(third, addresses);
  assert.match(await must(third, etcdctl(["10.0.0.13"], ["get", "key"])), /two of three/);

  running.network.cut(first.hardwareAddress);
  await write(second, "without the first");
  running.network.heal(first.hardwareAddress);
  await healthy(first, addresses);
  assert.match(await must(first, etcdctl(["10.0.0.11"], ["get", "key"])), /without the first/);

  await mountBundle(third);
  for (const [position, machine] of running.machines.entries()) {
    await must(machine, undo);
    const was = before[position];
    assert.ok(was !== undefined);
    assert.deepEqual(differences(was, await captureState(machine, was)), [], machine.name);
  }
});

/** Until every member answers, at most a minute. */
async function healthy(machine: Machine, endpoints: readonly string[]): Promise<void> {
  await machine.run(retried(etcdctl(endpoints, ["endpoint", "health"])));
}

/** An election may be under way: tried again until it is over. */
async function write(machine: Machine, value: string): Promise<void> {
  const others = addresses.filter((ip) => machine.address.startsWith(`${ip}/`));
  await machine.run(retried(etcdctl(others, ["put", "key", `'${value}'`])));
}

function retried(argv: readonly string[]): string {
  return `for i in $(seq 30); do ${argv.join(" ")} && exit 0; sleep 2; done; exit 1`;
}
