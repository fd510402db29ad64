/**
 * The life of a cluster of three machines: n1 is etcd and master and no worker, n2 and n3 are workers. None has a default
 * route or a name server. It is installed once; each test gets a copy that goes on where it was kept.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { allReady, everyNodePort, healthy, kubectl, podsReady } from "../machines/cluster-questions.ts";
import { credentialsOn, worksWith } from "../machines/credentials.ts";
import { etcdReleaseOf } from "../builders/etcd-release.ts";
import { livedHour } from "../machines/lived-hour.ts";
import { clusterYaml, hasFlannel } from "../machines/real-cluster.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { type RunningCluster, runningCluster, type RunningNode } from "../machines/running-cluster.ts";
import { tellVersions, undoneDifferences } from "../machines/undone.ts";
import { buildBundle, insertFaulty, insertLater, installer, laterInstaller, mountBundle } from "../machines/bundle.ts";
import { faultyUpgrade, install, must, rollback, undo, upgrade } from "../machines/commands.ts";
import { eventually } from "../machines/poll.ts";
import { workloadFolder as folder, workloadName } from "../machines/workload.ts";

const nodes = [
  { name: "n1", ip: "10.0.0.11", roles: "etcd,master" },
  { name: "n2", ip: "10.0.0.12", roles: "worker" },
  { name: "n3", ip: "10.0.0.13", roles: "worker" },
] as const;

const real = await realKubernetes();
// With flannel workers may come and go; static routes want each by name.
const comes = hasFlannel(real) ? ["n3"] : [];
const subnet = comes.length > 0 ? "workers: { subnet: 10.0.0.0/24 }\n" : "";
const lines = nodes
  .filter(({ name }) => !comes.includes(name))
  .map((node) => ({ ...node, roles: node.roles.replace("master", "control-plane") }));
const yamlOf = (release: string, more = ""): string =>
  clusterYaml({ ...real, release }, { name: "three", nodes: lines, more: `${subnet}${more}` });
const bundle = await buildBundle(yamlOf(real.release), null, real.options);

async function start(): Promise<RunningCluster & { master: Machine; workers: RunningNode[] }> {
  const cluster = await runningCluster({ bundle, nodes });
  const master = cluster.node("n1").machine;
  const workers = cluster.nodes.filter(({ roles }) => roles === "worker");
  await works(master, cluster.nodes, workers);
  return { ...cluster, master, workers };
}

/** All is Ready, and every machine is answered by the pods of every worker. */
async function works(master: Machine, all: readonly RunningNode[], workers: readonly RunningNode[]): Promise<void> {
  await allReady(
    master,
    workers.map(({ name }) => name),
  );
  await podsReady(master, workers.length);
  for (const { machine } of all) await everyNodePort(machine, workers);
}

async function clean(all: readonly RunningNode[], program = installer): Promise<void> {
  for (const { machine } of all) {
    await healthy(machine, program);
    await must(machine, [program, "audit"]);
  }
}

test("three machines answer from every node, and are healthy and as installed, also after an hour of work", async (t) => {
  await using cluster = await start();
  for (const { machine } of cluster.nodes) {
    await tellVersions(machine, t);
    assert.equal(await machine.run("ip route show default; grep nameserver /etc/resolv.conf || true"), "");
  }
  await clean(cluster.nodes);
  await livedHour(cluster.master, cluster.workers, comes);
  await clean(cluster.nodes);
  t.diagnostic(await must(cluster.master, [installer, "smoke"]));
});

test("each machine comes back from a reboot and from a power cut", async (t) => {
  await using cluster = await start();
  for (const { name, machine } of cluster.nodes) {
    await machine.reboot();
    await mountBundle(machine);
    await works(cluster.master, cluster.nodes, cluster.workers);
    await machine.powerCut();
    await machine.powerOn();
    await mountBundle(machine);
    await works(cluster.master, cluster.nodes, cluster.workers);
    t.diagnostic(`${name} came back twice`);
  }
  await clean(cluster.nodes);
});

test("a newer bundle changes a flag, a setting of the kubelet and etcd; a faulty one takes itself back", async () => {
  const newer = await etcdReleaseOf("trixie", real.release);
  const changed = "kubelet: { maxPods: 60 }\nflags:\n  kube-apiserver: { event-ttl: 2h0m0s }\n";
  const later = await buildBundle(yamlOf(newer, changed), bundle, real.options);
  // A number that is none, and an address that no host has: known only when the daemons read them.
  const wrong = '  etcd: { quota-backend-bytes: "much" }\nkube-proxy: { bindAddress: nowhere }\n';
  const faulty = await buildBundle(yamlOf(newer, `${changed}${wrong}`), later, real.options);
  await using cluster = await start();
  const { master, workers, nodes: all } = cluster;
  for (const { machine } of all) await insertLater(machine, later);
  for (const { name, machine } of workers) {
    const others = await podsNotOn(master, name);
    await startWriter(master);
    await must(machine, upgrade);
    const lost = await stopWriter(master);
    assert.deepEqual(lost, { lost: 0 }, `writes while ${name} was upgraded`);
    await works(master, all, workers);
    assert.deepEqual(await podsNotOn(master, name), others, `pods of others while ${name} was upgraded`);
  }
  const before = await podsNotOn(master, "n1");
  assert.match(await must(master, upgrade), /snapshot/, "a snapshot of etcd is taken before");
  await works(master, all, workers);
  assert.deepEqual(await podsNotOn(master, "n1"), before, "pods while the control plane was upgraded");
  assert.match(await master.run("/usr/local/bin/etcd --version"), /Version: 3\.[56]\./);
  assert.equal(await kubectl(master, "get nodes -o jsonpath={.items[*].status.allocatable.pods}"), "60 60");
  assert.match(await master.run("tr '\\0' ' ' < /proc/$(pidof kube-apiserver)/cmdline"), /--event-ttl=2h0m0s/);
  await clean(all, laterInstaller);

  for (const [machine, words] of [
    [master, /much/],
    [cluster.node("n2").machine, /nowhere/],
  ] as const) {
    await insertFaulty(machine, faulty);
    const said = await must(machine, faultyUpgrade, 7);
    assert.match(said, words, "the daemon's own words");
    assert.match(said, /restored/);
  }
  await works(master, all, workers);
  await clean(all, laterInstaller);
  await must(cluster.node("n3").machine, rollback);
  await works(master, all, workers);
});

test("certificates are renewed in place, and all goes on", async () => {
  await using cluster = await start();
  // Where certificates lie is not the same for every minor.
  const digest = "cat /etc/kubernetes/*/kube-apiserver.pem | sha256sum";
  const before = await cluster.master.run(digest);
  await must(cluster.master, [installer, "renew", "--in-place", "--yes"]);
  assert.notEqual(await cluster.master.run(digest), before);
  await works(cluster.master, cluster.nodes, cluster.workers);
  await clean(cluster.nodes);
});

test("a worker goes and comes again; then all three are undone without a trace, and no file of theirs is a credential", async (t) => {
  await using cluster = await start();
  const { master, workers } = cluster;
  const [second, third] = workers;
  assert.ok(second !== undefined && third !== undefined);

  const taken = await credentialsOn(third.machine);
  const copies = await Promise.all(taken.map(({ path }) => third.machine.run(`cat ${path}`)));
  t.diagnostic(`credentials on n3 while it is a worker: ${taken.map(({ path }) => path).join(", ")}`);
  assert.ok(await worksWith(master, taken, copies), "before, one of them does open the API");

  await must(third.machine, undo);
  assert.deepEqual(await undoneDifferences(third.machine, third.before), [], "n3");
  assert.deepEqual(await credentialsOn(third.machine), [], "credentials left on n3");
  await kubectl(master, "delete node n3");
  await kubectl(master, `scale deployment ${workloadName} --replicas=1`);
  await works(master, cluster.nodes, [second]);

  await must(third.machine, install(third.roles, third.ip));
  await kubectl(master, `scale deployment ${workloadName} --replicas=2`);
  await works(master, cluster.nodes, workers);
  await clean(cluster.nodes);

  for (const { name, machine, before } of cluster.nodes.toReversed()) {
    await must(machine, undo);
    assert.deepEqual(await undoneDifferences(machine, before), [], name);
    assert.deepEqual(await credentialsOn(machine), [], name);
  }
});

/** Name, identity and restarts of every pod on other nodes. */
async function podsNotOn(master: Machine, node: string): Promise<string[]> {
  const columns =
    "NAME:.metadata.name,UID:.metadata.uid,NODE:.spec.nodeName,RESTARTS:.status.containerStatuses[*].restartCount";
  const said = await kubectl(master, `get pods -A --no-headers -o custom-columns=${columns}`);
  return said
    .trim()
    .split("\n")
    .filter((line) => !new RegExp(`\\s${node}\\s`).test(line))
    .toSorted();
}

async function startWriter(master: Machine): Promise<void> {
  const write =
    `n=0; while [ ! -e ${folder}/stop ]; do n=$((n+1)); ` +
    `/usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.kubeconfig --cache-dir=${folder}/cache --request-timeout=30s ` +
    `annotate service web written=$n --overwrite > /dev/null 2>> ${folder}/errors || echo lost $n >> ${folder}/lost; done`;
  await master.run(
    `rm -f ${folder}/stop ${folder}/lost; touch ${folder}/lost; systemd-run --quiet --collect --unit=writer /bin/bash -c '${write}'`,
  );
}

async function stopWriter(master: Machine): Promise<{ lost: number }> {
  await master.run(`touch ${folder}/stop`);
  await eventually(
    "the writer has ended",
    () => master.run("systemctl is-active writer || true"),
    (said) => said.trim() !== "active",
  );
  const written = await kubectl(master, "get service web -o jsonpath={.metadata.annotations.written}");
  assert.ok(Number(written) > 1, `it wrote: ${written}`);
  return { lost: Number(await master.run(`wc -l < ${folder}/lost`)) };
}
