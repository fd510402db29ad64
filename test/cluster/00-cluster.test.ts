/**
 * A whole cluster of real Kubernetes on two virtual machines: for whoever has upstream's artifacts in a folder, which
 * KUBEFERRY_MIRROR names. KUBEFERRY_RELEASE chooses the release. Without the folder nothing is tested, and it says so.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadRelease } from "../../builder/config/releases.ts";
import { image } from "../../scripts/vm/image.ts";
import { Machine } from "../../scripts/vm/machine.ts";
import type { NetworkSwitch } from "../../scripts/vm/network-switch.ts";
import { describeNeeds, imageLines, missingIn, needsOf } from "../support/cluster-mirror.ts";
import { buildMirrored } from "../support/mirrored-bundle.ts";
import { insert, installer, mountBundle } from "../support/vm-bundle.ts";
import { install, must, undo } from "../support/vm-commands.ts";
import { captureState, differences } from "../support/vm-state.ts";
import { openSwitch } from "../support/vm-switch.ts";

const release = process.env["KUBEFERRY_RELEASE"] ?? "kubernetes-1.36";
const mirror = process.env["KUBEFERRY_MIRROR"] ?? "";
/** Of one answer of kubectl or a wait for the cluster; a machine without KVM is slow. */
const patience = { tries: 180, seconds: 5 };

const clusterYaml = `name: two
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.0.0.12, roles: [worker] }
packages:
  - { distribution: debian 12, names: [conntrack, ethtool, ipset, ipvsadm, socat] }
`;
const nodes = [
  { name: "n1", ip: "10.0.0.11", roles: "etcd,master,worker" },
  { name: "n2", ip: "10.0.0.12", roles: "worker" },
] as const;

const needs = await needsOf(clusterYaml);

if (mirror === "") {
  const reason = `KUBEFERRY_MIRROR names no folder with the artifacts of ${release}`;
  test(`${release} on two machines`, { skip: reason }, () => {});
  process.stdout.write(
    `\nNOT TESTED: ${reason}. Set it to a folder DIR that holds what follows (kubeferry lock pins the same), each file as\n` +
      "DIR/<host>/<path> of its URL or just by its name, images by the commands; every digest is checked as in any build.\n" +
      `KUBEFERRY_RELEASE chooses another release.\n${describeNeeds(needs).join("\n")}\n\n`,
  );
} else {
  test(`${release}: two machines become a cluster, both nodes Ready, smoke test passed, and are undone`, run);
}

async function run(t: { diagnostic(text: string): void }): Promise<void> {
  const folder = resolve(mirror);
  assert.deepEqual(missingIn(folder, needs), [], `these are not in ${folder}`);
  const bundle = await buildMirrored(`${clusterYaml}${imageLines(folder, needs)}`, folder);
  const keys = readFileSync(bundle.keys, "utf8");
  await using network = await openSwitch();
  await using first = await start(nodes[0], network);
  await using second = await start(nodes[1], network);
  const machines = [first, second];
  const before = new Map<Machine, Awaited<ReturnType<typeof captureState>>>();
  for (const machine of machines) {
    await insert(machine, bundle, keys);
    before.set(machine, await captureState(machine));
  }

  for (const [place, { ip, roles }] of nodes.entries()) await must(machineAt(machines, place), install(roles, ip));
  await eventually(() => kubectl(first, "get nodes --no-headers"), isEveryNodeReady);
  t.diagnostic(await kubectl(first, "get nodes -o wide"));

  await eventually(
    () => kubectl(first, "get csr --no-headers"),
    (said) => nodes.every(({ name }) => said.includes(`system:node:${name}`)),
  );
  t.diagnostic(await must(first, [installer, "approve"]));
  await eventually(
    () => kubectl(first, "get csr --no-headers"),
    (said) => !/Pending|Denied/.test(said),
  );
  // The API server reaches each kubelet by the certificate that was just approved.
  for (const { name } of nodes)
    await eventually(() => kubectl(first, `get --raw /api/v1/nodes/${name}/proxy/healthz`), isOk);

  t.diagnostic(await must(first, [installer, "smoke"]));
  for (const machine of machines) {
    await must(machine, [installer, "status"]);
    await must(machine, [installer, "audit"]);
  }
  await second.reboot();
  await asRealHosts(second);
  await mountBundle(second);
  await eventually(() => kubectl(first, "get nodes --no-headers"), isEveryNodeReady);
  await must(first, [installer, "smoke"]);

  for (const machine of [second, first]) {
    await must(machine, undo);
    const fresh = before.get(machine);
    assert.ok(fresh !== undefined);
    // Pods and their network end with a boot.
    await machine.reboot();
    await asRealHosts(machine);
    assert.deepEqual(differences(fresh, await captureState(machine, fresh)), []);
  }
}

function machineAt(machines: readonly Machine[], place: number): Machine {
  const machine = machines[place];
  assert.ok(machine !== undefined);
  return machine;
}

/** A cold boot: kubelets before 1.19 know only the first version of cgroups, which the kernel's command line chooses. */
async function start({ name, ip }: { name: string; ip: string }, network: NetworkSwitch): Promise<Machine> {
  const { manifest } = await loadRelease(release);
  const [major = 1, minor = 0] = (manifest.kubernetes ?? "1.0").split(".").map(Number);
  const old = major === 1 && minor < 19;
  const kernelWords = old ? "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller" : "";
  const machine = await Machine.boot(await image(), { name, address: `${ip}/24`, network, kernelWords });
  await machine.run(`echo ${name} > /etc/hostname; hostname ${name}`);
  await asRealHosts(machine);
  return machine;
}

/** Hosts in a data centre have a default route, which flannel and the kubelet look at; here it leads to nobody. */
async function asRealHosts(machine: Machine): Promise<void> {
  await machine.run("ip route replace default via 10.0.0.1 dev eth0");
}

async function kubectl(machine: Machine, words: string): Promise<string> {
  const { stdout, stderr } = await machine.exec(
    ["/bin/bash", "-c", `/usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.kubeconfig ${words}`],
    { environment: { HOME: "/dev/null" } },
  );
  return stdout + stderr;
}

function isEveryNodeReady(said: string): boolean {
  return nodes.every(({ name }) => new RegExp(`^${name}\\s+Ready\\s`, "m").test(said));
}

function isOk(said: string): boolean {
  return said.trim() === "ok";
}

async function eventually(ask: () => Promise<string>, isSo: (said: string) => boolean): Promise<void> {
  let said = "";
  for (let count = 0; count < patience.tries; count += 1) {
    said = await ask();
    if (isSo(said)) return;
    await sleep(patience.seconds * 1000);
  }
  assert.fail(`still not so:\n${said}`);
}
