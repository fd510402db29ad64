/**
 * A cluster goes from one minor version of Kubernetes to the next, with its pods: three nodes, each member of etcd, master and
 * worker, under a client that writes and one that asks the pods. KUBEFERRY_KUBERNETES names the folder of the older
 * version, KUBEFERRY_KUBERNETES_NEXT that of the newer (test/machines/real-kubernetes.ts says what is in them).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseVersion } from "#formats/version";
import { type BuiltBundle, buildBundle, keyFile } from "../machines/bundle.ts";
import { allReady, everyNodePort, healthy, kubectl, podsReady } from "../machines/cluster-questions.ts";
import { must } from "../machines/commands.ts";
import { type Container, type Containers, startContainers } from "../machines/container.ts";
import { containerdFields, kubeletFields } from "../machines/pods-in-containers.ts";
import { Reader } from "../machines/reader.ts";
import { clusterYaml } from "../machines/real-cluster.ts";
import { type RealKubernetes, realKubernetes } from "../machines/real-kubernetes.ts";
import { captureState, type State } from "../machines/state.ts";
import { assertUndone, leftByContainer, leftByHaproxy, tellVersions } from "../machines/undone.ts";
import { nodePort, workload, workloadFolder, workloadName } from "../machines/workload.ts";
import { nothingLost, Writer } from "../machines/writer.ts";

const addresses = { n1: "10.0.0.11", n2: "10.0.0.12", n3: "10.0.0.13" };
const nodes = Object.entries(addresses).map(([name, ip]) => ({ name, ip, roles: "etcd, control-plane, worker" }));
const names = nodes.map(({ name }) => name);
const namespace = "written";
const [first, later] = ["/mnt/first/install", "/mnt/later/install"] as const;

const next = process.env["KUBEFERRY_KUBERNETES_NEXT"];
if (next === undefined) throw new Error("KUBEFERRY_KUBERNETES_NEXT names the folder of the newer version");
const [old, real] = [await realKubernetes(), await realKubernetes(next)];
const yamlOf = (of: RealKubernetes): string => {
  const kubelet = kubeletFields(of);
  const more = `api: { endpoint: local-proxy }
containerd: { ${containerdFields(of)} }
${kubelet === "" ? "" : `kubelet: { ${kubelet} }`}
`;
  return clusterYaml(of, { name: "minor", nodes, packages: ["haproxy"], more });
};

let containers: Containers;
const states = new Map<string, State>();
let writer: Writer;
let reader: Reader;
let pods: string;

before(async () => {
  const older = await buildBundle(yamlOf(old), null, old.options);
  const newer = await buildBundle(yamlOf(real), older, real.options);
  const stick = ({ folder }: BuiltBundle): string => join(folder, "bundle");
  containers = await startContainers({
    addresses: Object.fromEntries(nodes.map(({ name, ip }) => [name, `${ip}/24`])),
    sticks: { "/mnt/first": stick(older), "/mnt/later": stick(newer) },
    pods: true,
  });
  for (const one of containers.all) {
    await one.run(`umask 077; cat > ${keyFile}`, { input: readFileSync(newer.keys, "utf8") });
    states.set(one.name, await captureState(one));
  }
});

after(async () => {
  await writer?.stop();
  await reader?.stop();
  await containers?.[Symbol.asyncDispose]();
});

function master(): Container {
  const [one] = containers.all;
  if (one === undefined) throw new Error("no n1");
  return one;
}

/** Every node is Ready, and every pod answers every node. */
async function works(): Promise<void> {
  await allReady(master(), names);
  await podsReady(master(), nodes.length);
  for (const one of containers.all) await everyNodePort(one, nodes);
}

async function clean(program: string): Promise<void> {
  for (const one of containers.all) {
    await healthy(one, program);
    await must(one, [program, "audit"]);
  }
}

/** Identity and restarts of each of the workload's pods. */
function podsNow(): Promise<string> {
  const columns = "NODE:.spec.nodeName,UID:.metadata.uid,RESTARTS:.status.containerStatuses[*].restartCount";
  return kubectl(
    master(),
    `get pods -l app=${workloadName} --no-headers --sort-by=.spec.nodeName -o custom-columns=${columns}`,
  );
}

/** While it is done, no write is lost, every question is answered, and no pod of the workload is started anew. */
async function served(
  t: { diagnostic(text: string): void },
  what: string,
  action: () => Promise<unknown>,
): Promise<void> {
  let unanswered: readonly string[] = [];
  const answered = reader.answered;
  const writes = await writer.during(async () => {
    unanswered = await reader.during(action);
  });
  t.diagnostic(`${what}: ${reader.answered - answered} answers of pods, ${unanswered.length} missing`);
  nothingLost(t, what, writes);
  assert.deepEqual(unanswered, [], what);
  assert.equal(await podsNow(), pods, what);
}

const upgrade = (one: Container, roles: string): Promise<string> =>
  must(one, [later, "upgrade", "--role", roles, "--key", keyFile, "--yes"]);

/** `v1.35.0` of each API server and of each kubelet, as they run. */
async function versions(): Promise<{ servers: string[]; kubelets: string[] }> {
  const servers = await Promise.all(
    containers.all.map((one) => one.run("/proc/$(pidof kube-apiserver)/exe --version | cut -d' ' -f2")),
  );
  const kubelets = await kubectl(master(), "get nodes -o jsonpath={.items[*].status.nodeInfo.kubeletVersion}");
  return { servers: servers.map((text) => text.trim()), kubelets: kubelets.trim().split(" ") };
}

const three = ({ version }: RealKubernetes): string[] => nodes.map(() => `v${version}`);

let days = 0;
/** A test that begins where the one before ended. */
function day(number: number): void {
  assert.equal(days, number - 1, "the day before went wrong");
}

test("three nodes of the older version run pods, and are healthy and as installed", async (t) => {
  day(1);
  assert.equal(
    parseVersion(real.version)?.minor,
    (parseVersion(old.version)?.minor ?? 0) + 1,
    "the next minor version",
  );
  const roles = ["--role", "etcd,master,worker", "--key", keyFile, "--yes"];
  await Promise.all(nodes.map(({ ip }, at) => must(containers.all[at] ?? master(), [first, ...roles, "--ip", ip])));
  await tellVersions(master(), t);
  await allReady(master(), names);
  await master().run(`mkdir -p ${workloadFolder} && cat > ${workloadFolder}/web.yaml`, {
    input: workload(nodes.length),
  });
  await kubectl(master(), `apply -f ${workloadFolder}/web.yaml`);
  await works();
  await clean(first);
  await kubectl(master(), `create namespace ${namespace}`);
  const on = (argv: readonly string[]): string[] => containers.on("n1", argv);
  const kubeconfig = join(master().root, "etc/kubernetes/admin.kubeconfig");
  writer = new Writer(on, { kubeconfig, namespace, prefix: "write" }, 250);
  reader = new Reader(
    on,
    nodes.map(({ ip }) => `http://${ip}:${nodePort}/node`),
  );
  pods = await podsNow();
  days = 1;
});

test("one host after the other becomes etcd and master of the newer version, and its kubelet stays", async (t) => {
  day(2);
  for (const one of containers.all) await served(t, `${one.name} etcd,master`, () => upgrade(one, "etcd,master"));
  assert.deepEqual(await versions(), { servers: three(real), kubelets: three(old) });
  await works();
  days = 2;
});

test("then one worker after the other, and its pods go on", async (t) => {
  day(3);
  for (const one of containers.all) await served(t, `${one.name} worker`, () => upgrade(one, "worker"));
  assert.deepEqual(await versions(), { servers: three(real), kubelets: three(real) });
  await tellVersions(master(), t);
  await works();
  await clean(later);
  await must(master(), [later, "smoke"]);
  days = 3;
});

test("a worker goes back to the older version and comes again", async (t) => {
  day(4);
  const last = containers.all.at(-1) ?? master();
  await served(t, `${last.name} back`, () => must(last, [later, "rollback", "--yes"]));
  assert.deepEqual((await versions()).kubelets, [`v${real.version}`, `v${real.version}`, `v${old.version}`]);
  await works();
  await served(t, `${last.name} again`, () => upgrade(last, "worker"));
  await works();
  await clean(later);
  await writer.stop();
  await reader.stop();
  days = 4;
});

test("all three are undone without a trace", async () => {
  day(5);
  for (const one of containers.all.toReversed()) {
    await must(one, [later, "undo", "--yes", "--delete-data"]);
    await assertUndone(one, states.get(one.name), [leftByContainer, ...leftByHaproxy]);
  }
  days = 5;
});
