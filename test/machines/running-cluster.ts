/**
 * A cluster with real pods on virtual machines: installed once from its bundle, then kept as it runs, all machines of it.
 * Each test gets a private copy that goes on where it was kept, after some seconds.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, ingredientsOf } from "../../scripts/vm/cache.ts";
import { command } from "../../scripts/vm/command.ts";
import { type Image, image } from "../../scripts/vm/image.ts";
import { Machine, type MachineOptions } from "../../scripts/vm/machine.ts";
import type { NetworkSwitch } from "../../scripts/vm/network-switch.ts";
import { hostPackages } from "../../scripts/vm/packages.ts";
import { type PluggedDisk, qemuVersion } from "../../scripts/vm/qemu.ts";
import { memoryFolder } from "../../scripts/vm/snapshot.ts";
import { allReady, kubectl, podsReady } from "./cluster-questions.ts";
import { requirePackages } from "../programs/packages.ts";
import { type BuiltBundle, insert } from "./bundle.ts";
import { install, must } from "./commands.ts";
import { captureState, decodeState, encodeState, type State } from "./state.ts";
import { openSwitch } from "./switch.ts";
import { workload, workloadFolder } from "./workload.ts";

export interface PlannedNode {
  readonly name: string;
  readonly ip: string;
  /** As `--role` takes them: `etcd,master`. */
  readonly roles: string;
}

export interface ClusterPlan {
  readonly bundle: BuiltBundle;
  /** In the order in which they are installed; a master first. */
  readonly nodes: readonly PlannedNode[];
  readonly kernelWords?: string;
}

export interface RunningNode extends PlannedNode {
  readonly machine: Machine;
  /** The host with the bundle plugged in, before anything was installed. */
  readonly before: State;
}

export interface RunningCluster extends AsyncDisposable {
  readonly nodes: readonly RunningNode[];
  readonly network: NetworkSwitch;
  /** The node of this name. */
  node(name: string): RunningNode;
}

const mebibytes = 2048;

/** A copy of the running cluster; made first where nobody has made it from this very bundle, which takes some minutes and tells how many. */
export async function runningCluster(plan: ClusterPlan): Promise<RunningCluster> {
  requirePackages(...hostPackages);
  const made = await image();
  const support = ["running-cluster.ts", "workload.ts", "state.ts", "questions.ts"];
  const scripts = await ingredientsOf(import.meta.dirname);
  const ingredients = {
    bundle: plan.bundle.folder,
    nodes: plan.nodes,
    kernelWords: plan.kernelWords,
    image: made.folder,
    machine: await ingredientsOf(join(import.meta.dirname, "../../scripts/vm")),
    scripts: scripts.filter((line) => support.some((name) => line.startsWith(`${name} `))),
    qemu: await qemuVersion(),
    mebibytes,
  };
  const folder = await cached("cluster", ingredients, (into) => keepCluster(plan, made, into));
  return resume(plan, made, folder);
}

function workersOf({ nodes }: ClusterPlan): string[] {
  return nodes.filter(({ roles }) => roles.includes("worker")).map(({ name }) => name);
}

function optionsOf({ name, ip }: PlannedNode, plan: ClusterPlan, network: NetworkSwitch): MachineOptions {
  const { kernelWords = "" } = plan;
  return { name, address: `${ip}/24`, network, mebibytes, kernelWords };
}

async function keepCluster(plan: ClusterPlan, made: Image, into: string): Promise<void> {
  const started = Date.now();
  const timed = (said: string): void =>
    void process.stdout.write(`# ${Math.round((Date.now() - started) / 1000)} s: ${said}\n`);
  const keys = readFileSync(plan.bundle.keys, "utf8");
  await using network = await openSwitch();
  await using kept = new AsyncDisposableStack();
  const machines = new Map<string, Machine>();
  const memoryOf = (name: string): string =>
    join(memoryFolder(into, mebibytes * plan.nodes.length), `kubeferry-vm-memory-${process.pid}-${name}`);
  kept.defer(() => plan.nodes.forEach(({ name }) => rmSync(memoryOf(name), { force: true })));
  for (const node of plan.nodes) {
    const { name, ip, roles } = node;
    const machine = kept.use(await Machine.boot(made, optionsOf(node, plan, network), memoryOf(name)));
    machines.set(name, machine);
    await machine.run(`echo ${name} > /etc/hostname; hostname ${name}`);
    await insert(machine, plan.bundle, keys);
    mkdirSync(join(into, name));
    writeFileSync(join(into, name, "before.json"), encodeState(await captureState(machine)));
    timed(`${name} is up`);
    await must(machine, install(roles, ip));
    timed(`${name} is ${roles}`);
  }
  const [first] = machines.values();
  if (first === undefined) throw new Error("a cluster has at least one node");
  const workers = workersOf(plan);
  await allReady(first, workers);
  timed("every node is Ready");
  await first.run(`mkdir -p ${workloadFolder} && cat > ${workloadFolder}/web.yaml`, {
    input: workload(workers.length),
  });
  await kubectl(first, `apply -f ${workloadFolder}/web.yaml`);
  await podsReady(first, workers.length);
  timed("every pod is ready");
  for (const [name, machine] of machines) {
    writeFileSync(join(into, name, "plugged.json"), JSON.stringify(machine.plugged));
    await machine.save(join(into, name));
    await command(["cp", "--sparse=always", memoryOf(name), join(into, name, "memory")]);
    rmSync(memoryOf(name));
  }
  timed("kept");
}

async function resume(plan: ClusterPlan, made: Image, folder: string): Promise<RunningCluster> {
  const stack = new AsyncDisposableStack();
  try {
    const network = stack.use(await openSwitch());
    const nodes: RunningNode[] = [];
    for (const node of plan.nodes) {
      const own = join(folder, node.name);
      const plugged = JSON.parse(readFileSync(join(own, "plugged.json"), "utf8")) as PluggedDisk[];
      const options = { ...optionsOf(node, plan, network), plugged };
      const machine = stack.use(await Machine.resume({ image: made, folder: own }, options));
      nodes.push({ ...node, machine, before: decodeState(readFileSync(join(own, "before.json"), "utf8")) });
    }
    const [first] = nodes;
    if (first === undefined) throw new Error("a cluster has at least one node");
    // Where machines are slow, nodes may have been taken for lost while they were being saved.
    await allReady(first.machine, workersOf(plan));
    await podsReady(first.machine, workersOf(plan).length);
    const node = (name: string): RunningNode => {
      const found = nodes.find((one) => one.name === name);
      if (found === undefined) throw new Error(`the cluster has no ${name}`);
      return found;
    };
    return { nodes, network, node, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
