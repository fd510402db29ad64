/**
 * The life of a cluster on one machine, which is etcd, master and worker: pods with Secrets and volumes run, the audit is
 * clean after an hour of work, and undo leaves nothing of it, without a reboot.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, healthy, kubectl } from "../machines/cluster-questions.ts";
import { refusedForeignCertificate } from "../machines/foreign-certificate.ts";
import { livedHour } from "../machines/lived-hour.ts";
import { clusterYaml } from "../machines/real-cluster.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { runningCluster } from "../machines/running-cluster.ts";
import { tellVersions, undoneDifferences } from "../machines/undone.ts";
import { buildBundle, installer } from "../machines/bundle.ts";
import { must, undo } from "../machines/commands.ts";
import { nodePort } from "../machines/workload.ts";

const nodes = [{ name: "n1", ip: "10.0.0.11", roles: "etcd,master,worker" }] as const;

test("one machine is a cluster with pods, is audited clean after an hour of work, and is undone without a trace", async (t) => {
  const real = await realKubernetes();
  const lines = [{ name: "n1", ip: "10.0.0.11", roles: "etcd, control-plane, worker" }];
  const bundle = await buildBundle(clusterYaml(real, { name: "one", nodes: lines }), null, real.options);
  await using cluster = await runningCluster({ bundle, nodes });
  const { machine, before } = cluster.node("n1");
  await tellVersions(machine, t);

  await answers(machine, `10.0.0.11:${nodePort}`, ["n1"]);
  await answers(machine, (await kubectl(machine, "get service web -o jsonpath={.spec.clusterIP}")).trim(), ["n1"]);
  await healthy(machine, installer);
  await must(machine, [installer, "audit"]);
  await must(machine, [installer, "smoke"]);
  await refusedForeignCertificate(machine, "n9");
  await livedHour(machine, cluster.nodes);
  await healthy(machine, installer);
  await must(machine, [installer, "audit"]);
  await must(machine, [installer, "preflight", "--role", "etcd,master,worker", "--ip", "10.0.0.11"]);

  await must(machine, undo);
  assert.deepEqual(await undoneDifferences(machine, before), []);
});
