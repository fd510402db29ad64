/**
 * The power goes while a node that runs pods is undone or upgraded: 20 cuts from the first effects to the last. After the
 * boot the same command, or undo, completes; and the machine is as it was before anything, or the cluster lives on.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../../scripts/vm/machine.ts";
import { allReady, answers, podsReady } from "../../machines/cluster-questions.ts";
import { clusterYaml } from "../../machines/real-cluster.ts";
import { realKubernetes } from "../../machines/real-kubernetes.ts";
import { runningCluster } from "../../machines/running-cluster.ts";
import { type BuiltBundle, buildBundle, insertLater, laterInstaller, mountBundle } from "../../machines/bundle.ts";
import { must, undo, upgrade } from "../../machines/commands.ts";
import { cutDuring, journalPosition } from "../../machines/cut.ts";
import { undoneDifferences } from "../../machines/undone.ts";
import { nodePort } from "../../machines/workload.ts";

const nodes = [{ name: "n1", ip: "10.0.0.11", roles: "etcd,master,worker" }] as const;
const lines = [{ name: "n1", ip: "10.0.0.11", roles: "etcd, control-plane, worker" }];
/** Milliseconds from an effect's announcement to the cut: before it, in it, after it, in the next one. */
const delays = [0, 40, 400, 10, 3000] as const;
const cuts = 10;
const counted = new Map<string, number>();

const real = await realKubernetes();
/** One master needs no lease, and on a slow machine would lose it and be started anew throughout the test. */
const unled = `kube-scheduler: { leaderElection: { leaderElect: false } }
flags:
  kube-controller-manager: { leader-elect: false }
`;
const changed = `${unled}  kube-apiserver: { event-ttl: 2h0m0s }
kubelet: { maxPods: 60 }
`;
const bundle = await built(unled, null);
const later = await built(changed, bundle);

for (let number = 0; number < cuts; number += 1) {
  const share = (number + 0.5) / cuts;
  const delay = delays[number % delays.length] ?? 0;

  test(`undo of a node with pods is cut at ${percent(share)}, and completes after the boot`, async (t) => {
    await using cluster = await runningCluster({ bundle, nodes });
    const { machine, before } = cluster.node("n1");
    await cut(machine, undo, share, delay, t);
    await must(machine, undo);
    assert.deepEqual(await undoneDifferences(machine, before), []);
  });

  test(`an upgrade of a node with pods is cut at ${percent(share)}; ${number % 2 === 0 ? "upgrade" : "undo"} completes`, async (t) => {
    await using cluster = await runningCluster({ bundle, nodes });
    const { machine, before } = cluster.node("n1");
    await insertLater(machine, later);
    await cut(machine, upgrade, share, delay, t);
    if (number % 2 === 0) {
      await must(machine, upgrade);
      await allReady(machine, ["n1"]);
      await podsReady(machine, 1);
      await answers(machine, `10.0.0.11:${nodePort}`, ["n1"]);
      await must(machine, [laterInstaller, "audit"]);
    } else {
      await must(machine, [laterInstaller, "undo", "--yes", "--delete-data"]);
      await machine.run("umount /srv");
      assert.deepEqual(await undoneDifferences(machine, before), []);
    }
  });
}

async function cut(
  machine: Machine,
  argv: readonly [string, ...string[]],
  share: number,
  delay: number,
  t: { diagnostic(message: string): void },
): Promise<void> {
  const effects = await effectsOf(machine, argv);
  const count = Math.max(1, Math.round(share * effects));
  await cutDuring(machine, argv, { type: "effect", count, delay });
  await machine.powerOn();
  t.diagnostic(`${argv[1]} was cut at effect ${count} of ${effects}: ${await journalPosition(machine)}`);
  await mountBundle(machine);
}

/** Every machine here is a copy of the same one, so that each command is planned once. */
async function effectsOf(machine: Machine, argv: readonly [string, ...string[]]): Promise<number> {
  const command = argv.join(" ");
  const known = counted.get(command);
  if (known !== undefined) return known;
  const planned = await machine.run(`${command} --dry-run --json`, { timeoutSeconds: 900 });
  const effects = planned.split("\n").filter((line) => line.includes('"type":"effect"')).length;
  counted.set(command, effects);
  return effects;
}

function built(more: string, since: BuiltBundle | null): Promise<BuiltBundle> {
  return buildBundle(clusterYaml(real, { name: "one", nodes: lines, more }), since, real.options);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
