/**
 * haproxy as it is rendered, in front of two real API servers that end and begin again under a client who knows the balancer
 * alone and has his rights by RBAC: an API server that has just begun to serve refuses him.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import { renderFixture } from "../builders/fixture-cluster.ts";
import { below, commandLine, textOf } from "../builders/placed-node.ts";
import { place } from "../programs/control-plane.ts";
import { clusterFor, kubernetesDaemons } from "../programs/kubernetes-daemons.ts";
import { requirePackages } from "../programs/packages.ts";
import { rightsOf } from "../programs/rights.ts";
import { Writer, type Writes } from "../machines/writer.ts";
import { makeHosts } from "../servers/namespaces.ts";

requirePackages("etcd-server", "haproxy");
const daemons = await kubernetesDaemons();
const masters = ["m1", "m2"] as const;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-balancer-"));
const hosts = makeHosts(`kb${process.pid}`, { m1: "10.64.3.1/24", m2: "10.64.3.2/24" });
const running = new Map<string, ChildProcess>();
after(async () => {
  for (const child of running.values()) child.kill("SIGKILL");
  // The network goes when nobody is in it any more.
  for (const child of running.values())
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});
const cluster = await clusterFor(
  daemons,
  `
name: two
nodes:
  - { name: m1, ip: 10.64.3.1, roles: [etcd, control-plane] }
  - { name: m2, ip: 10.64.3.2, roles: [control-plane] }
network: { plugin: static-routes }
api: { endpoint: local-proxy }
packages: [{ distribution: debian 12, names: [haproxy] }]
`,
  folder,
);
const rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
for (const name of masters) place(rendered, name, join(folder, name));

const logOf = (name: string): string => join(folder, `${name.replace(" ", "-")}.log`);
const kubeconfig = join(folder, "m1/etc/kubernetes/admin.kubeconfig");
const kubectl = (...words: string[]): string[] =>
  hosts.on("m1", [join(daemons.folder, "kubectl"), `--kubeconfig=${kubeconfig}`, ...words]);

function start(node: string, unit: string, program: string, more: readonly string[] = []): ChildProcess {
  const [, ...words] = commandLine(textOf(rendered, node, `/etc/systemd/system/${unit}.service`));
  const [command = "", ...rest] = hosts.on(node, [program, ...below(join(folder, node), words), ...more]);
  return run(`${node} ${unit}`, command, rest);
}

function run(name: string, command: string, words: readonly string[]): ChildProcess {
  const log = openSync(logOf(name), "a");
  const child = spawn(command, words, { stdio: ["ignore", log, log] });
  running.set(name, child);
  return child;
}

// The second one's way to etcd is slow, so that it serves for a while before it has read who has which rights.
const relayed = "--etcd-servers=https://127.0.0.1:2379";

const serve = (node: string): ChildProcess =>
  start(node, "kube-apiserver", join(daemons.folder, "kube-apiserver"), node === "m2" ? [relayed] : []);

/** Asks until the command ends with 0. */
async function eventually(argv: readonly string[]): Promise<void> {
  let said = "";
  for (let turn = 0; turn < 240; turn += 1) {
    const [command = "", ...rest] = argv;
    const { status, stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", env: { HOME: "/proc" } });
    if (status === 0) return;
    said = stdout + stderr;
    await sleep(500);
  }
  const logs = [...running.keys()].map((name) => {
    const lines = readFileSync(logOf(name), "utf8").split("\n");
    return `== ${name}\n${lines.slice(-10).join("\n")}`;
  });
  assert.fail(`${argv.join(" ")}: ${said}\n${logs.join("\n")}`);
}

/** Until this very API server says so: the balancer may still hold it for gone. */
const ready = (node: string): Promise<void> =>
  eventually(kubectl(`--server=https://10.64.3.${node.slice(1)}:6443`, "get", "--raw", "/readyz"));

async function end(node: string, signal: NodeJS.Signals): Promise<void> {
  const child = running.get(`${node} kube-apiserver`);
  assert.ok(child);
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

start("m1", "etcd", "/usr/bin/etcd");
const relay = join(import.meta.dirname, "../servers/slow-relay.ts");
const [command = "", ...words] = hosts.on("m2", [process.execPath, relay, "2379", "10.64.3.1:2379", "100"]);
run("m2 relay", command, words);
for (const name of masters) serve(name);
start("m1", "kube-haproxy", "/usr/sbin/haproxy");
for (const name of masters) await ready(name);
await rightsOf(rendered, join(folder, "m1"), folder, kubectl()).bring();

/** What becomes of ten writes a second while `action` goes on. */
async function during(action: () => Promise<void>): Promise<Writes> {
  const client = { kubeconfig, namespace: "default", prefix: `write-${Date.now()}` };
  const writer = new Writer((argv) => hosts.on("m1", argv), client, 100);
  const writes = await writer.during(action);
  await writer.stop();
  return writes;
}

test("no request fails while one API server after the other is restarted", async (t) => {
  t.diagnostic(`Kubernetes ${daemons.version}`);
  const { acknowledged, refused } = await during(async () => {
    for (const name of masters) {
      await sleep(2000);
      await end(name, "SIGTERM");
      serve(name);
      await ready(name);
      // For long enough that a balancer that asks nothing would lead there.
      await sleep(3000);
    }
  });
  t.diagnostic(`${acknowledged.length} writes`);
  assert.ok(acknowledged.length > 50, `${acknowledged.length} writes`);
  assert.deepEqual(refused, []);
});

test("one that is killed takes at most the request along that it had; none meets the one that begins", async (t) => {
  const { acknowledged, refused } = await during(async () => {
    await sleep(2000);
    await end("m2", "SIGKILL");
    // As its unit has it: RestartSec.
    await sleep(5000);
    serve("m2");
    await ready("m2");
    await sleep(3000);
  });
  t.diagnostic(`${acknowledged.length} writes; ${refused.join("; ")}`);
  assert.ok(acknowledged.length > 50, `${acknowledged.length} writes`);
  assert.ok(refused.length <= 1, refused.join("\n"));
  for (const text of refused)
    assert.match(text, /: (read ECONNRESET|write EPIPE|socket hang up|Client network socket disconnected .*)$/);
});

test("without a ready API server nobody is led anywhere; with one that has lost etcd its own words are heard", async () => {
  const etcd = running.get("m1 etcd");
  assert.ok(etcd);
  const gone = once(etcd, "exit");
  etcd.kill("SIGKILL");
  await gone;
  await sleep(5000);
  const ask = (): string => {
    const [command = "", ...rest] = kubectl("--request-timeout=10s", "get", "--raw", "/readyz");
    const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", env: { HOME: "/proc" } });
    return stdout + stderr;
  };
  assert.match(ask(), /etcd failed|etcd/);
  for (const name of masters) await end(name, "SIGKILL");
  assert.match(ask(), /EOF|connection reset|refused/);
});
