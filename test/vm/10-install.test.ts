/** Issue "the whole road": carry the bundle in, install two roles, check, reboot, check, undo, nothing left. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, insert, installer, keyFile, mountBundle } from "../support/vm-bundle.ts";
import { captureState, differences } from "../support/vm-state.ts";
import { restoreMachine } from "../support/vm.ts";

const cluster = `name: road
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;
const pki = "/etc/kubernetes/pki/etcd";
const member = "--endpoints=https://10.0.0.11:2379";
const certificate = [`--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`];

test("etcd and a worker's runtime are installed, survive a reboot, and are taken back without a trace", async (t) => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = await captureState(machine);

  await t.test("preflight finds nothing that stands in the way", async () => {
    await must(machine, [installer, "preflight", "--role", "etcd", "--ip", "10.0.0.11", "--key", keyFile]);
    assert.deepEqual(differences(before, await captureState(machine, before)), [], "preflight changed something");
  });
  await t.test("a dry run changes nothing", async () => {
    const shown = await must(machine, [installer, ...etcdRole, "--dry-run"]);
    assert.match(shown, /\/usr\/local\/bin\/etcd/);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
  await t.test("both roles install, one after the other", async () => {
    await must(machine, [installer, ...etcdRole, "--yes"]);
    await must(machine, [installer, ...workerRole, "--yes"]);
  });
  await t.test("etcd and containerd are healthy and swap is off", () => isHealthy(machine));
  await t.test("after a reboot all is as before it", async () => {
    await machine.reboot();
    await isHealthy(machine);
  });
  await t.test("undo leaves no difference", async () => {
    await mountBundle(machine);
    await must(machine, [installer, "undo", "--yes", "--delete-data"]);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
  await t.test("nor is there one after another reboot", async () => {
    await machine.reboot();
    await mountBundle(machine);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
});

const etcdRole = ["--role", "etcd", "--ip", "10.0.0.11", "--key", keyFile];
const workerRole = ["--role", "worker", "--ip", "10.0.0.11", "--key", keyFile];

async function must(machine: Machine, argv: [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await machine.exec(argv, { timeoutSeconds: 900 });
  assert.equal(code, 0, `${argv.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

async function isHealthy(machine: Machine): Promise<void> {
  await must(machine, ["/usr/local/bin/etcdctl", member, ...certificate, "endpoint", "health"]);
  const stranger = ["/usr/local/bin/etcdctl", member, `--cacert=${pki}/ca.pem`, "endpoint", "health"] as const;
  const refused = await machine.exec([...stranger]);
  assert.notEqual(refused.code, 0, "etcd takes a client without a certificate");
  assert.match(refused.stderr, /certificate|handshake|deadline|unhealthy/);
  assert.match(await must(machine, ["/usr/local/bin/ctr", "version"]), /Server:\s+Version:/);
  assert.equal(await machine.run("tail -n +2 /proc/swaps"), "", "swap is on");
  await must(machine, ["systemctl", "is-enabled", "etcd", "containerd"]);
}
