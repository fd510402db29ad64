/**
 * The guides' own runtime: docker with dockershim on a worker, below a master that is no worker. Pods run, the audit is
 * clean, the worker comes back from a reboot, and undo leaves nothing of docker, its pods and their network.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allReady, everyNodePort, healthy, podsReady } from "../machines/cluster-questions.ts";
import { livedHour } from "../machines/lived-hour.ts";
import { clusterYaml } from "../machines/real-cluster.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { runningCluster } from "../machines/running-cluster.ts";
import { tellVersions, undoneDifferences } from "../machines/undone.ts";
import { buildBundle, installer, mountBundle } from "../machines/bundle.ts";
import { must, undo } from "../machines/commands.ts";

const nodes = [
  { name: "n1", ip: "10.0.0.11", roles: "etcd,master" },
  { name: "n2", ip: "10.0.0.12", roles: "worker" },
] as const;
const lines = nodes.map((node) => ({ ...node, roles: node.roles.replace("master", "control-plane") }));

const real = await realKubernetes();
const minor = Number(real.version.split(".")[1]);
// dockershim went with 1.24.
const skip = minor >= 24 ? `Kubernetes ${real.version} has no dockershim` : false;

test("pods run below docker, and undo of the worker leaves nothing of them", { skip }, async (t) => {
  const yaml = clusterYaml(real, { name: "docker", nodes: lines, more: "runtime: docker\n" });
  const bundle = await buildBundle(yaml, null, real.options);
  await using cluster = await runningCluster({ bundle, nodes });
  const master = cluster.node("n1").machine;
  const worker = cluster.node("n2");
  await tellVersions(worker.machine, t);
  await works();
  await clean();
  await livedHour(master, [worker]);
  await clean();

  await worker.machine.reboot();
  await mountBundle(worker.machine);
  await works();

  for (const { name, machine, before } of cluster.nodes.toReversed()) {
    await must(machine, undo);
    assert.deepEqual(await undoneDifferences(machine, before), [], name);
  }

  async function works(): Promise<void> {
    await allReady(master, ["n2"]);
    await podsReady(master, 1);
    for (const { machine } of cluster.nodes) await everyNodePort(machine, [worker]);
  }

  async function clean(): Promise<void> {
    for (const { machine } of cluster.nodes) {
      await healthy(machine, installer);
      await must(machine, [installer, "audit"]);
    }
  }
});
