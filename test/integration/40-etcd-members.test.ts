/** Three members of etcd from the rendered units' own command lines, each on a host of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { below, commandLine, placeNode, textOf } from "../builders/placed-node.ts";

const names = ["n1", "n2", "n3"] as const;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-etcd-"));
const running = new Map<string, ChildProcess>();
let hosts: Hosts;

before(async () => {
  requirePackages("etcd-server", "etcd-client");
  hosts = makeHosts(`kf${process.pid}`, { n1: "10.0.0.11/24", n2: "10.0.0.12/24", n3: "10.0.0.13/24" });
  const cluster = await fixtureCluster(
    readFileSync(join(import.meta.dirname, "../golden/clusters/distro/cluster.yaml"), "utf8"),
  );
  const rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  for (const name of names) {
    const root = join(folder, name);
    placeNode(rendered, name, root);
    const [, ...words] = commandLine(textOf(rendered, name, "/etc/systemd/system/etcd.service"));
    const [program = "", ...rest] = hosts.on(name, ["/usr/bin/etcd", ...below(root, words)]);
    const log = openSync(join(folder, `${name}.log`), "w");
    running.set(name, spawn(program, rest, { stdio: ["ignore", log, log] }));
  }
});

after(() => {
  for (const child of running.values()) child.kill("SIGKILL");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** etcdctl on a host, with or without that host's client certificate. */
function etcdctl(host: string, endpoint: string, words: readonly string[], certified = true): string {
  const pki = join(folder, host, "etc/kubernetes/pki/etcd");
  const credentials = certified ? [`--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`] : [];
  const argv = ["/usr/bin/etcdctl", `--endpoints=${endpoint}`, `--cacert=${pki}/ca.pem`, ...credentials, ...words];
  const [program = "", ...rest] = hosts.on(host, argv);
  const { stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } });
  return stdout + stderr;
}

async function eventually(what: () => string, pattern: RegExp): Promise<void> {
  let seen = "";
  for (let turn = 0; turn < 60; turn += 1) {
    seen = what();
    if (pattern.test(seen)) return;
    await sleep(500);
  }
  assert.match(seen, pattern);
}

const loopback = "https://127.0.0.1:2379";

test("the members form a cluster and each is healthy on loopback, as its health check asks", async () => {
  for (const name of names) await eventually(() => etcdctl(name, loopback, ["endpoint", "health"]), /is healthy/);
  assert.equal(etcdctl("n1", loopback, ["member", "list"]).match(/started, n[123]/g)?.length, 3);
});

test("what one member wrote, another reads", () => {
  assert.match(etcdctl("n1", "https://10.0.0.11:2379", ["put", "/probe", "written on n1"]), /OK/);
  assert.match(etcdctl("n1", "https://10.0.0.13:2379", ["get", "/probe"]), /written on n1/);
});

test("a client without a certificate is refused", () => {
  const answer = etcdctl("n1", "https://10.0.0.12:2379", ["get", "/probe", "--command-timeout=5s"], false);
  assert.doesNotMatch(answer, /written on n1/);
  assert.match(answer, /bad certificate|certificate required|deadline exceeded/);
});

test("the loss of one member leaves a cluster that takes writes", async () => {
  running.get("n1")?.kill("SIGKILL");
  await eventually(() => etcdctl("n2", "https://10.0.0.12:2379", ["put", "/probe", "written without n1"]), /OK/);
  assert.match(etcdctl("n3", "https://10.0.0.13:2379", ["get", "/probe"]), /written without n1/);
});
