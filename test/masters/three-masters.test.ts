/**
 * Three masters, each with its member of etcd, real all of them: CAs are rotated and a release is upgraded under a client that
 * writes each second, a master is lost and replaced, the quorum is lost, and then all data, which come back from a snapshot.
 * Each test goes on where the one before it ended.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { etcdReleaseOf } from "../builders/etcd-release.ts";
import { type BuiltBundle, buildBundle, keyFile } from "../machines/bundle.ts";
import { healthy, kubectl } from "../machines/cluster-questions.ts";
import { etcdctl, must } from "../machines/commands.ts";
import { type Container, type Containers, startContainers } from "../machines/container.ts";
import { eventually } from "../machines/poll.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { captureState, type State } from "../machines/state.ts";
import { assertUndone, leftByHaproxy, tellVersions } from "../machines/undone.ts";
import { nothingLost, reasons, Writer } from "../machines/writer.ts";

const addresses = { m1: "10.0.0.11", m2: "10.0.0.12", m3: "10.0.0.13" };
const names = ["m1", "m2", "m3"] as const;
const namespace = "written";
/** Sticks, in the order of the cluster's life; each is a later bundle of the same cluster. */
const steps = ["trust", "reissue", "drop"] as const;
type Stick = "first" | (typeof steps)[number] | "newer";

const real = await realKubernetes();
const yamlOf = (release: string, more = ""): string => `name: masters
release: ${release}
nodes:
${names.map((name) => `  - { name: ${name}, ip: ${addresses[name]}, roles: [etcd, control-plane] }\n`).join("")}api: { endpoint: local-proxy }
network: { plugin: static-routes, proxyMode: iptables }
addons: []
${real.images}packages:
  - { distribution: debian 12, names: [haproxy] }
${more}`;

let containers: Containers;
const states = new Map<string, State>();
let newest: BuiltBundle;
let writer: Writer;
let stick: Stick = "first";
let writers = 0;

function host(name: (typeof names)[number]): Container {
  const found = containers.all.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const installerOn = (from: Stick): string => `/mnt/${from}/install`;

before(async () => {
  const cas = ["kubernetes-ca", "etcd-ca", "front-proxy-ca"];
  const build = (earlier: BuiltBundle, step: string): Promise<BuiltBundle> =>
    buildBundle(yamlOf(real.release), earlier, real.options, [...cas, "--step", step]);
  const first = await buildBundle(yamlOf(real.release), null, real.options);
  const trust = await build(first, "trust");
  const reissue = await build(trust, "reissue");
  const drop = await build(reissue, "drop");
  const changed = `flags:
  kube-apiserver: { event-ttl: 2h0m0s }
  kube-controller-manager: { concurrent-endpoint-syncs: "6" }
`;
  newest = await buildBundle(yamlOf(await etcdReleaseOf("trixie", real.release), changed), drop, real.options);
  const bundles = { first, trust, reissue, drop, newer: newest };
  const sticks = Object.entries(bundles).map(([name, { folder }]) => [`/mnt/${name}`, join(folder, "bundle")]);
  containers = await startContainers({
    addresses: Object.fromEntries(names.map((name) => [name, `${addresses[name]}/24`])),
    sticks: Object.fromEntries(sticks),
  });
  for (const one of containers.all) await prepare(one);
});

after(async () => {
  await writer?.stop();
  await containers?.[Symbol.asyncDispose]();
});

/** The keys come by another way, and the host is described. */
async function prepare(one: Container): Promise<void> {
  await one.run(`umask 077; cat > ${keyFile}`, { input: readFileSync(newest.keys, "utf8") });
  states.set(one.name, await captureState(one));
}

async function install(one: Container, ...words: string[]): Promise<void> {
  const ip = addresses[names.find((name) => name === one.name) ?? "m1"];
  const node = ["--role", "etcd,master", "--ip", ip, "--key", keyFile, "--yes"];
  await must(one, [installerOn(stick), ...node, ...words]);
}

/** One host after the other, as docs/upgrade.md says. */
async function upgradeAll(to: Stick): Promise<void> {
  for (const one of containers.all) await must(one, [installerOn(to), "upgrade", "--key", keyFile, "--yes"]);
  stick = to;
}

async function clean(): Promise<void> {
  for (const one of containers.all) {
    await healthy(one, installerOn(stick));
    await must(one, [installerOn(stick), "audit"]);
  }
}

function startWriter(): void {
  writers += 1;
  const kubeconfig = join(host("m1").root, "etc/kubernetes/admin.kubeconfig");
  const prefix = `write-${writers}`;
  writer = new Writer((argv) => containers.on("m1", argv), { kubeconfig, namespace, prefix });
}

/** Waits until so many further writes were acknowledged. */
async function writesGoOn(count = 3): Promise<void> {
  const before = writer.acknowledged.length;
  await eventually(
    `${count} further writes are acknowledged`,
    async () => `${writer.acknowledged.length - before}; last refusals: ${writer.refused.slice(-3).join("\n")}`,
    () => writer.acknowledged.length >= before + count,
  );
}

/** Names of what was written and is there. */
async function found(): Promise<string[]> {
  const said = await kubectl(host("m1"), `get configmaps --namespace=${namespace} --output=name`);
  return said.split("\n").flatMap((line) => /^configmap\/(write-.+)$/.exec(line)?.[1] ?? []);
}

async function nothingMissing(acknowledged: readonly string[]): Promise<void> {
  const wanted = [...acknowledged];
  const there = new Set(await found());
  assert.deepEqual(
    wanted.filter((name) => !there.has(name)),
    [],
    `of ${wanted.length} acknowledged writes`,
  );
}

async function threeMembers(): Promise<void> {
  const pki = (await host("m1").run("dirname $(find /etc -name etcd-peer.pem)")).trim();
  const list = await must(host("m1"), etcdctl([addresses.m1], ["member", "list"], pki));
  assert.equal(list.match(/started, m[123]/g)?.length, 3, list);
}

let days = 0;
/** A test that begins where the one before ended. */
function day(number: number): void {
  assert.equal(days, number - 1, "the day before went wrong");
}

test("three masters are installed at once", async (t) => {
  day(1);
  await Promise.all(containers.all.map((one) => install(one)));
  await clean();
  await threeMembers();
  await tellVersions(host("m1"), t);
  await kubectl(host("m1"), `create namespace ${namespace}`);
  startWriter();
  await writesGoOn();
  days = 1;
});

test("three CAs are rotated under the client, and each step is audited clean", async (t) => {
  day(2);
  for (const step of steps) {
    const writes = await writer.during(async () => {
      await upgradeAll(step);
      await clean();
    });
    nothingLost(t, step, writes);
  }
  for (const one of containers.all) {
    const certificate = "$(find /etc/kubernetes -name kube-apiserver.pem)";
    const served = await one.run(`openssl x509 -noout -issuer -in ${certificate}`);
    assert.match(served, /kubernetes-ca-2/, one.name);
  }
  days = 2;
});

test("a newer release and changed flags go to one master after the other under the client", async (t) => {
  day(3);
  const writes = await writer.during(async () => {
    await upgradeAll("newer");
    await clean();
  });
  nothingLost(t, "upgrade", writes);
  for (const one of containers.all) {
    assert.match(await one.run("/usr/local/bin/etcd --version"), /Version: 3\.[56]\./);
    assert.match(await one.run("tr '\\0' ' ' < /proc/$(pidof kube-apiserver)/cmdline"), /--event-ttl=2h0m0s/);
  }
  await nothingMissing(writer.acknowledged);
  days = 3;
});

test("one master dies with its disk and is replaced", async (t) => {
  day(4);
  const m3 = host("m3");
  const writes = await writer.during(async () => {
    await m3.powerCut();
    await writesGoOn(10);
    await m3.loseDisk();
    await m3.powerOn();
    await prepare(m3);
    await install(m3, "--initial-cluster-state", "existing");
    await clean();
    await writesGoOn();
  });
  t.diagnostic(
    `${writes.acknowledged.length} acknowledged, ${writes.refused.length} refused\n${reasons(writes.refused)}`,
  );
  await threeMembers();
  await nothingMissing(writer.acknowledged);
  days = 4;
});

test("two masters are off: nothing is acknowledged; they come back: nothing is missing", async (t) => {
  day(5);
  const [m2, m3] = [host("m2"), host("m3")];
  await m2.powerCut();
  await m3.powerCut();
  const alone = await writer.during(async () => {
    const refused = writer.refused.length;
    await eventually(
      "writes are refused",
      async () => `${writer.refused.length - refused}`,
      () => writer.refused.length >= refused + 3,
    );
  });
  t.diagnostic(reasons(alone.refused));
  assert.deepEqual(alone.acknowledged, []);
  await Promise.all([m2.powerOn(), m3.powerOn()]);
  await writesGoOn();
  await nothingMissing(writer.acknowledged);
  await clean();
  days = 5;
});

test("all data are lost: each member is restored from one snapshot, with every write acknowledged before it", async (t) => {
  day(6);
  const m1 = host("m1");
  const kept = [...writer.acknowledged];
  await must(m1, [installerOn(stick), "snapshot"]);
  const taken = new Set(writer.acknowledged);
  const path = (await m1.run("ls /var/lib/kubeferry/snapshots/*.age | tail -n 1")).trim();
  await writesGoOn();
  await writer.stop();
  const later = writer.acknowledged.filter((name) => !taken.has(name));
  assert.ok(later.length >= 2, "some were written after the snapshot");

  const aside = join("/root", basename(path));
  for (const one of containers.all) {
    copyFileSync(join(m1.root, path), join(one.root, aside));
    copyFileSync(join(newest.folder, "masters.pki/operator.key"), join(one.root, "root/operator.key"));
  }
  await Promise.all(
    containers.all.map((one) => one.run("systemctl kill --signal=KILL etcd; rm -rf /var/lib/etcd/member")),
  );
  await Promise.all(containers.all.map((one) => one.run("systemctl stop kube-apiserver", { timeoutSeconds: 900 })));
  for (const one of containers.all) {
    const restore = ["restore-etcd", "--snapshot", aside, "--key", "/root/operator.key", "--yes"];
    await must(one, [installerOn(stick), ...restore]);
  }
  for (const one of containers.all) await healthy(one, installerOn(stick));
  await threeMembers();
  await nothingMissing(kept);
  const there = await found();
  assert.deepEqual(
    later.filter((name) => there.includes(name)),
    [],
    "later ones are gone",
  );
  t.diagnostic(`${kept.length} writes of before the snapshot are there, ${later.length} of after it are gone`);
  await clean();
  for (const one of containers.all) await one.run(`rm ${aside} /root/operator.key`);
  startWriter();
  await writesGoOn();
  await writer.stop();
  days = 6;
});

test("all three are undone without a trace", async () => {
  day(7);
  for (const one of containers.all.toReversed()) {
    await must(one, [installerOn(stick), "undo", "--yes", "--delete-data"]);
    await assertUndone(one, states.get(one.name), leftByHaproxy);
  }
  days = 7;
});
