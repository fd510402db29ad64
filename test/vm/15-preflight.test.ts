/**
 * A program that ends in the middle must not end with 0. On an installed node `./install preflight` did so in about every
 * third call: here it is called 200 times, also while the machine is busy, and always comes to its last check.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildBundle, insert, installer } from "../machines/bundle.ts";
import { install, must } from "../machines/commands.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: road
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
`;
const calls = 200;

test(`of ${calls} calls of preflight on an installed node none ends with 0 before its last check`, async (t) => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  await must(machine, install("etcd,worker"));
  const checksOf = (said: string): string[] =>
    said.split("\n").flatMap((line) => /^ {2}(\S+ +\S+) /.exec(line)?.[1] ?? []);
  const preflight = [installer, "preflight", "--role", "etcd,worker", "--ip", "10.0.0.11"] as const;
  const whole = checksOf(await must(machine, preflight));
  assert.ok(whole.length > 10, "it tells every check");

  await machine.run("systemd-run --quiet --unit=busy /bin/sh -c 'while :; do :; done'");
  let busy = true;
  for (let call = 1; call <= calls; call += 1) {
    if (busy && call > calls / 2) {
      await machine.run("systemctl stop busy");
      busy = false;
    }
    assert.deepEqual(checksOf(await must(machine, preflight)), whole, `call ${call}`);
    if (call % 50 === 0) t.diagnostic(`${call} calls`);
  }
});
