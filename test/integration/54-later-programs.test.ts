/**
 * Programs of the generation 1.36 that this distribution does not have yet and the coming one does: containerd 2, etcd 3.5
 * and a kubectl of these days (1.36.4 when this was written) read what is rendered for them.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { debOfSuite } from "../builders/debs.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { below, commandLine, filesOf, placeNode, textOf } from "../builders/placed-node.ts";

const suite = "forky";
const node = "n1";
const folder = mkdtempSync(join(tmpdir(), "kubeferry-later-"));
const root = join(folder, "root");
let hosts: Hosts;
let rendered: Rendered;
let member: ChildProcess | undefined;

before(async () => {
  const text = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-single-node/cluster.yaml"), "utf8");
  const cluster = await fixtureCluster(text);
  rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  placeNode(rendered, node, root);
  hosts = makeHosts(`kf${process.pid}`, { [node]: "10.64.3.1/24" });
});
after(() => {
  member?.kill("SIGKILL");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A program out of a package of the later suite. */
async function programOf(name: string, path: string): Promise<string> {
  const into = join(folder, name);
  execFileSync("dpkg-deb", ["--extract", await debOfSuite(name, suite), into]);
  return join(into, path);
}

function run(argv: readonly string[]): { code: number | null; output: string } {
  const [program = "", ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

test("containerd 2 reads its configuration of version 3 without a word of warning, and means what was meant", async () => {
  const containerd = await programOf("containerd", "usr/bin/containerd");
  assert.match(run([containerd, "--version"]).output, / 2\.\d+\.\d+/);
  const path = join(root, "etc/containerd/config.toml");
  const { code, output } = run([containerd, "--config", path, "config", "dump"]);
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /level=(warning|error)/);
  assert.match(output, /^version = 3$/m);
  assert.match(output, /bin_dirs = \['\/opt\/cni\/bin'\]/);
  assert.match(output, /conf_dir = '\/etc\/cni\/net\.d'/);
  assert.match(output, /BinaryName = '\/usr\/local\/bin\/runc'/);
  assert.match(output, /SystemdCgroup = true/);
  assert.match(output, /sandbox = 'registry\.k8s\.io\/pause:[\d.]+'/);
  assert.match(output, /config_path = '\/etc\/containerd\/certs\.d'/);
  assert.doesNotMatch(output, /'\/opt\/containerd'/, "its plugins' folder is among its own data");
});

test("etcd 3.5 starts from the unit's own command line, is healthy, and refuses a client without a certificate", async () => {
  const etcd = await programOf("etcd-server", "usr/bin/etcd");
  const etcdctl = await programOf("etcd-client", "usr/bin/etcdctl");
  const [, ...words] = commandLine(textOf(rendered, node, "/etc/systemd/system/etcd.service"));
  const [program = "", ...rest] = hosts.on(node, [etcd, ...below(root, words)]);
  const log = join(folder, "etcd.log");
  const file = openSync(log, "w");
  member = spawn(program, rest, { stdio: ["ignore", file, file] });
  const pki = join(root, "etc/kubernetes/pki/etcd");
  const ask = [etcdctl, "--endpoints=https://10.64.3.1:2379", `--cacert=${pki}/ca.pem`];
  const certified = [...ask, `--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`];
  let said = "";
  for (let turn = 0; turn < 60 && !said.includes("is healthy"); turn += 1) {
    await sleep(500);
    said = run(hosts.on(node, [...certified, "endpoint", "health"])).output;
  }
  assert.match(said, /is healthy: successfully committed proposal/, readFileSync(log, "utf8").slice(-2000));
  assert.match(run(hosts.on(node, [...certified, "put", "/probe", "1"])).output, /OK/);
  assert.notEqual(run(hosts.on(node, [...ask, "get", "/probe", "--command-timeout=3s"])).code, 0);
});

test("a late kubectl reads every kubeconfig", async () => {
  const kubectl = await programOf("kubectl", "usr/bin/kubectl");
  const [, minor] = /Client Version: v1\.(\d+)/.exec(run([kubectl, "version", "--client"]).output) ?? [];
  assert.ok(Number(minor) >= 36, "this is no later kubectl");
  const kubeconfigs = filesOf(rendered, node).filter(({ path }) => path.endsWith("kubeconfig"));
  assert.ok(kubeconfigs.length >= 4);
  for (const { path } of kubeconfigs) {
    const { code, output } = run([kubectl, "--kubeconfig", join(root, path), "config", "view", "--raw", "-o", "json"]);
    assert.equal(code, 0, output);
    assert.match(output, /"server": "https:\/\/[0-9.]+:6443"/);
  }
});
