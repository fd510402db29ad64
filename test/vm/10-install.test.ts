/** The whole road: carry the bundle in, install two roles, check, reboot, check, undo, nothing left. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, insert, installer, mountBundle } from "../machines/bundle.ts";
import { etcdctl, etcdPki, install, must, undo } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: road
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;
const dryRun = (roles: string) => [...install(roles), "--dry-run"] as const;

test("etcd and a worker's runtime are installed, survive a reboot, and are taken back without a trace", async (t) => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = await captureState(machine);

  await step(t, "a dry run changes nothing", async () => {
    assert.match(await must(machine, dryRun("etcd")), /\/usr\/local\/bin\/etcd/);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
  await step(t, "both roles install, one after the other", async () => {
    await must(machine, install("etcd"));
    await must(machine, install("worker"));
  });
  await step(t, "etcd and containerd are healthy and swap is off", () => isHealthy(machine));
  await step(t, "installing once more changes nothing", async () => {
    const installed = await captureState(machine, before);
    await must(machine, install("etcd"));
    assert.deepEqual(differences(installed, await captureState(machine, installed)).filter(isNotEtcdData), []);
  });
  await step(t, "after a reboot all is as before it, and nothing has drifted", async () => {
    await machine.reboot();
    await isHealthy(machine);
    await mountBundle(machine);
    await must(machine, [installer, "status"]);
    await must(machine, [installer, "audit"]);
  });
  await step(t, "undo leaves no difference", async () => {
    await must(machine, undo);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
  await step(t, "nor is there one after another reboot", async () => {
    await machine.reboot();
    await mountBundle(machine);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
});

/** A step that fails ends the journey: what follows would say nothing. */
async function step(t: { test: typeof test }, name: string, action: () => Promise<void>): Promise<void> {
  let failure: unknown = null;
  await t.test(name, async () => {
    await action().catch((error: unknown) => {
      failure = error;
      throw error;
    });
  });
  if (failure !== null) throw new Error(`the journey ended at: ${name}`);
}

function isNotEtcdData(line: string): boolean {
  return !line.startsWith("file /var/lib/etcd/");
}

async function isHealthy(machine: Machine): Promise<void> {
  await must(machine, etcdctl(["10.0.0.11"], ["endpoint", "health"]));
  const certificate = `--cert ${etcdPki}/etcd.pem --key ${etcdPki}/etcd-key.pem`;
  const ask = `curl --silent --show-error --cacert ${etcdPki}/ca.pem https://10.0.0.11:2379/version`;
  assert.match(await machine.run(`${ask} ${certificate}`), /etcdserver/);
  const stranger = await machine.exec(["/bin/bash", "-c", ask]);
  assert.notEqual(stranger.code, 0, "etcd takes a client without a certificate");
  assert.match(await machine.run("journalctl --unit etcd --boot"), /client didn't provide a certificate/);
  assert.match(await must(machine, ["/usr/local/bin/ctr", "version"]), /Server:\s+Version:/);
  assert.equal(await machine.run("tail -n +2 /proc/swaps"), "", "swap is on");
  await must(machine, ["systemctl", "is-enabled", "etcd", "containerd"]);
}
