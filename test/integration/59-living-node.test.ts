/**
 * What a node that lives grows, and what somebody put beside it: the audit with certificates that openssl makes as the
 * kubelet's rotation leaves them, and with containers of a real containerd.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { WrittenEntry } from "#bundle";
import { podDrift } from "../../installer/checks/pod-drift.ts";
import { writtenDrift } from "../../installer/checks/written.ts";
import type { HostReader } from "../../installer/host/host.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import type { UnitId } from "../../installer/resources/unit.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-living-"));
let root = "";
beforeEach(() => {
  root = mkdtempSync(join(folder, "root-"));
});

const socket = join(folder, "containerd.sock");
let containerd: ChildProcess | undefined;
before(async () => {
  requirePackages("containerd", "runc", "openssl");
  const own = [
    `root = "${folder}/data"`,
    `state = "${folder}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
  ];
  writeFileSync(join(folder, "config.toml"), ["version = 2", ...own, "[grpc]", `address = "${socket}"`].join("\n"));
  containerd = spawn("containerd", ["--config", join(folder, "config.toml")], { stdio: "ignore" });
  while (!existsSync(socket)) await sleep(100);
});
after(async () => {
  if (containerd !== undefined) {
    const ended = once(containerd, "exit");
    containerd.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Files below `root`, programs of this machine, and its own containerd where a node has its. */
function node(): HostReader {
  const contents = { stage: join(root, "stage"), before: join(root, "before") };
  const tree = createLocalHost({ root, contents });
  const live = createLocalHost({ root: "/", contents });
  return {
    root: "/",
    live: true,
    stat: (path) => tree.stat(path),
    digests: (files) => tree.digests(files),
    digest: (path) => tree.digest(path),
    read: (path) => tree.read(path),
    list: (path) => tree.list(path),
    query: (argv, options) =>
      live.query(
        argv.map((word) => (word === "/run/containerd/containerd.sock" ? socket : word)),
        options,
      ),
  };
}

function place(path: string, text = "", mode = 0o600): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode });
}

function openssl(words: string): string {
  return execFileSync("openssl", words.split(" "), {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

const keys = "/etc/kubernetes/cert";
const ca = `${keys}/ca.pem`;
const issued = { authority: ca, commonName: "system:node:n1", organization: "system:nodes" };
const written: WrittenEntry[] = ["client", "server"].map((use) => ({
  path: `${keys}/kubelet-${use}-*.pem`,
  by: "kubelet",
  credential: true,
  certificate: issued,
  for: { roles: ["worker"] },
}));

/** A certificate with its key in one file, as the kubelet keeps it. */
function issue(authority: string, subject = "/O=system:nodes/CN=system:node:n1"): string {
  const curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  if (!existsSync(join(folder, `${authority}.pem`))) {
    openssl(`req -x509 ${curve} -keyout ${authority}.key -out ${authority}.pem -subj /CN=kubernetes -days 2`);
  }
  openssl(`req ${curve} -keyout leaf.key -out leaf.csr -subj ${subject}`);
  const signed = openssl(`x509 -req -in leaf.csr -CA ${authority}.pem -CAkey ${authority}.key -CAcreateserial -days 2`);
  return signed + readFileSync(join(folder, "leaf.key"), "utf8");
}

const told = async (now = new Date()): Promise<string[]> =>
  (await writtenDrift(node(), written, now)).map(({ check, message }) => `${check}: ${message}`);

/** Two rotations of the client's certificate, one of the server's. */
function rotated(): void {
  const [first, second] = [issue("cluster"), issue("cluster")];
  place(ca, readFileSync(join(folder, "cluster.pem"), "utf8"), 0o644);
  place(`${keys}/kubelet-client-2026-10-21-10-00-00.pem`, first);
  place(`${keys}/kubelet-client-2026-11-21-10-00-00.pem`, second);
  place(`${keys}/kubelet-server-2026-11-21-10-00-00.pem`, issue("cluster"));
  for (const use of ["client", "server"]) {
    symlinkSync(`${keys}/kubelet-${use}-2026-11-21-10-00-00.pem`, join(root, `${keys}/kubelet-${use}-current.pem`));
  }
}

test("what the kubelet's rotation leaves is no drift", async () => {
  rotated();
  assert.deepEqual(await told(), []);
});

test("a certificate of another CA, for another node, with another's key, or that others may read is", async () => {
  rotated();
  const path = `${keys}/kubelet-client-2026-11-21-10-00-00.pem`;
  place(path, issue("stranger"));
  assert.deepEqual(await told(), [`certificate: ${path} is not signed by the cluster's CA`]);
  place(path, issue("cluster", "/O=system:masters/CN=system:node:n1"));
  assert.deepEqual(await told(), [`certificate: ${path} is not for this node`]);
  place(path, issue("cluster", "/O=system:nodes/CN=system:node:n2"));
  assert.deepEqual(await told(), [`certificate: ${path} is not for this node`]);
  const [certificate = ""] = issue("cluster").split("-----BEGIN PRIVATE");
  const [, key = ""] = issue("cluster").split("-----BEGIN PRIVATE");
  place(path, `${certificate}-----BEGIN PRIVATE${key}`);
  assert.deepEqual(await told(), [`certificate: ${path} has the key of another certificate`]);
  place(path, "rubbish");
  assert.match((await told()).join(), /certificate: .*kubelet-client-2026-11-21-10-00-00\.pem cannot be read: /);
  place(path, issue("cluster"));
  chmodSync(join(root, path), 0o644);
  assert.deepEqual(await told(), [`mode: ${path} may be read by others than root`]);
});

test("only the one in use must still hold, and its link must lead to what the kubelet wrote", async () => {
  rotated();
  const later = new Date(Date.now() + 10 * 86_400_000);
  const said = await told(later);
  assert.equal(said.length, 2, said.join("\n"));
  assert.ok(said.every((line) => /has ended on .*, and kubelet still uses it/.test(line)));
  const link = join(root, `${keys}/kubelet-client-current.pem`);
  rmSync(link);
  place("/tmp/own.pem", issue("cluster"));
  symlinkSync("/tmp/own.pem", link);
  assert.deepEqual(await told(), [
    `changed: ${keys}/kubelet-client-current.pem leads to /tmp/own.pem, which kubelet did not write`,
  ]);
});

const unit = (name: string): UnitId => ({
  ...{ name: `${name}.service`, file: `/etc/systemd/system/${name}.service`, links: [] },
  ...{ live: true, start: true, noBlock: false, restartOn: [] },
});
const units = ["containerd", "kubelet"].map(unit);
const pods = async (own: readonly UnitId[] = units): Promise<string[]> =>
  (await podDrift(node(), [], own)).map(({ check, severity, message }) => `${severity} ${check}: ${message}`);

const ctr = (...words: string[]): string =>
  execFileSync("ctr", ["--address", socket, "--namespace", "k8s.io", ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

/** Runs until the test ends. */
function run(t: { after(end: () => void): void }, id: string, ...labels: string[]): void {
  const below = mkdtempSync(join(folder, "rootfs-"));
  mkdirSync(join(below, "usr"));
  for (const name of ["lib", "lib64", "bin"]) symlinkSync(`usr/${name}`, join(below, name));
  const words = labels.flatMap((label) => ["--label", label]);
  const mount = "type=bind,src=/usr,dst=/usr,options=rbind:ro";
  t.after(() => end(id));
  ctr("run", "--detach", "--rootfs", "--mount", mount, ...words, below, id, "/usr/bin/sleep", "1000");
}

function end(id: string): void {
  spawnQuietly("tasks", "kill", "--signal", "KILL", id);
  while (new RegExp(`^${id} .*RUNNING`, "m").test(ctr("tasks", "list"))) execFileSync("sleep", ["0.1"]);
  spawnQuietly("tasks", "delete", id);
  spawnQuietly("containers", "delete", id);
}

/** What it is to end may be gone already. */
function spawnQuietly(...words: string[]): void {
  try {
    ctr(...words);
  } catch {}
}

const uid = "0b1c2d3e-0000-4000-8000-000000000001";

test("a pod's container is none of the audit's business; one of no pod, or of a pod unknown here, is", async (t) => {
  place(
    "/etc/systemd/system/kubelet.service",
    "[Service]\nExecStart=/usr/local/bin/kubelet \\\n  --root-dir=/data/kubelet\n",
  );
  mkdirSync(join(root, `/data/kubelet/pods/${uid}`), { recursive: true });
  assert.deepEqual(await pods(), []);
  run(t, "ours", `io.kubernetes.pod.uid=${uid}`);
  assert.deepEqual(await pods(), []);
  run(t, "stranger");
  assert.deepEqual(await pods(), ["error extra: container stranger is of no pod"]);
  assert.deepEqual(await pods([unit("containerd")]), [], "without a kubelet the namespace is anybody's");
  end("stranger");
  const other = "0b1c2d3e-0000-4000-8000-000000000002";
  run(t, "forged", `io.kubernetes.pod.uid=${other}`);
  assert.deepEqual(await pods(), [`error extra: container forged says it is of a pod unknown here: ${other}`]);
  spawnQuietly("tasks", "kill", "--signal", "KILL", "forged");
  while (/^forged .*RUNNING/m.test(ctr("tasks", "list"))) await sleep(100);
  assert.deepEqual(await pods(), [], "what has ended is only not yet collected by the kubelet");
});

test("a static pod that nobody installed: its manifest, and itself when its manifest is gone", async () => {
  const line = "ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet-config.yaml";
  place("/etc/systemd/system/kubelet.service", `[Service]\n${line}\n`);
  place(
    "/etc/kubernetes/kubelet-config.yaml",
    "kind: KubeletConfiguration\nstaticPodPath: /etc/kubernetes/manifests\n",
  );
  assert.deepEqual(await pods(), []);
  place("/etc/kubernetes/manifests/miner.yaml");
  const told = "is a static pod that is not of this installation";
  assert.deepEqual(await pods(), [`error extra: /etc/kubernetes/manifests/miner.yaml ${told}`]);
  rmSync(join(root, "/etc/kubernetes/manifests/miner.yaml"));
  const hash = "0123456789abcdef0123456789abcdef";
  mkdirSync(join(root, `/var/lib/kubelet/pods/${hash}`), { recursive: true });
  assert.deepEqual(await pods(), [`error extra: ${hash} ${told}`]);
  mkdirSync(join(root, `/var/log/pods/kube-system_miner-n1_${hash}`), { recursive: true });
  assert.deepEqual(await pods(), [`error extra: kube-system/miner-n1 ${told}`]);
});

test("a runtime that does not answer is told, not taken for clean", async () => {
  place("/etc/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/local/bin/kubelet\n");
  const silent = { ...node(), query: async () => ({ code: 1, stdout: "", stderr: "connection refused" }) };
  const [finding] = await podDrift(silent, [], units);
  assert.equal(finding?.severity, "warning");
  assert.match(finding?.message ?? "", /could not be looked at: .*connection refused/);
});
