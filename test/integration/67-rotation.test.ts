/**
 * CAs and keys go over to their next generation under clients that never rest: three members of etcd and two API servers,
 * real ones, which get each step's files and are restarted one host after the other, as ./install upgrade does it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { renderFixture } from "../builders/fixture-cluster.ts";
import { below, commandLine, textOf } from "../builders/placed-node.ts";
import { place } from "../programs/control-plane.ts";
import { clusterFor, kubernetesDaemons } from "../programs/kubernetes-daemons.ts";
import { requirePackages } from "../programs/packages.ts";
import { type Rights, rightsOf } from "../programs/rights.ts";
import { makeHosts } from "../servers/namespaces.ts";

requirePackages("etcd-server", "etcd-client");
const daemons = await kubernetesDaemons();
const names = ["n1", "n2", "n3"] as const;
type Name = (typeof names)[number];
const masters: readonly Name[] = ["n1", "n2"];
const addresses = { n1: "10.64.9.1", n2: "10.64.9.2", n3: "10.64.9.3" };
const clusterYaml = `
name: plant
nodes:
  - { name: n1, ip: ${addresses.n1}, roles: [etcd, master] }
  - { name: n2, ip: ${addresses.n2}, roles: [etcd, master, worker] }
  - { name: n3, ip: ${addresses.n3}, roles: [etcd] }
network: { plugin: flannel, proxyMode: iptables }
certificates: { algorithm: ECDSA-P256 }
`;
const all = ["kubernetes-ca", "etcd-ca", "front-proxy-ca", "service-accounts", "encryption-key"];
const folder = mkdtempSync(join(tmpdir(), "kubeferry-rotation-"));
const hosts = makeHosts(`ro${process.pid}`, {
  n1: `${addresses.n1}/24`,
  n2: `${addresses.n2}/24`,
  n3: `${addresses.n3}/24`,
});
const running = new Map<string, ChildProcess>();
let isOver = false;
after(() => {
  isOver = true;
  for (const child of running.values()) child.kill("SIGKILL");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});
const cluster = await clusterFor(daemons, clusterYaml, folder);
writeFileSync(join(folder, "cluster.yaml"), `${clusterYaml}\nrelease: release.yaml\n`);
let rendered: Rendered;
const rootOf = (name: Name): string => join(folder, name);

/** What `pki rotate` says. */
function rotate(...words: string[]): { code: number | null; output: string } {
  const program = join(import.meta.dirname, "../../builder/main.ts");
  const argv = [program, "pki", "rotate", "cluster.yaml", ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

function start(name: Name, daemon: string): void {
  const [, ...words] = commandLine(textOf(rendered, name, `/etc/systemd/system/${daemon}.service`));
  const program = daemon === "etcd" ? "/usr/bin/etcd" : join(daemons.folder, daemon);
  const [command = "", ...rest] = hosts.on(name, [program, ...below(rootOf(name), words)]);
  const log = openSync(join(folder, `${name}-${daemon}.log`), "a");
  const child = spawn(command, rest, { stdio: ["ignore", log, log] });
  running.set(`${name} ${daemon}`, child);
  // As systemd does: under load a controller-manager loses its lease, and ends.
  child.once("exit", () => {
    if (!isOver && running.get(`${name} ${daemon}`) === child) start(name, daemon);
  });
}

async function restart(name: Name, daemon: string): Promise<void> {
  const child = running.get(`${name} ${daemon}`);
  if (child !== undefined) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    running.delete(`${name} ${daemon}`);
    child.kill("SIGTERM");
    await ended;
  }
  start(name, daemon);
}

function run(name: Name, argv: readonly string[], input?: string): string {
  const [command = "", ...rest] = hosts.on(name, argv);
  const environment = { ...process.env, ETCDCTL_API: "3" };
  const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", env: environment, input });
  return stdout + stderr;
}

function kubectl(kubeconfig: string, ...words: string[]): string {
  return run("n1", [join(daemons.folder, "kubectl"), `--kubeconfig=${kubeconfig}`, ...words]);
}

const rightsAt = (name: Name): Rights =>
  rightsOf(
    rendered,
    rootOf(name),
    folder,
    hosts.on(name, [join(daemons.folder, "kubectl"), `--kubeconfig=${admin(name)}`]),
  );
const admin = (name: Name = "n1"): string => join(rootOf(name), "etc/kubernetes/admin.kubeconfig");

function etcdctl(name: Name, ...words: string[]): string {
  const pki = dirname(join(rootOf(name), rendered.files.find(({ path }) => path.endsWith("/etcd.pem"))?.path ?? ""));
  const client = [`--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`];
  return run(name, ["etcdctl", "--endpoints=https://127.0.0.1:2379", ...client, ...words]);
}

async function eventually(what: () => string, pattern: RegExp): Promise<void> {
  let seen = "";
  for (let turn = 0; turn < 240; turn += 1) {
    seen = what();
    if (pattern.test(seen)) return;
    await sleep(500);
  }
  const logs = readdirSync(folder).filter((file) => file.endsWith(".log"));
  const tails = logs.map(
    (file) => `== ${file}\n${readFileSync(join(folder, file), "utf8").split("\n").slice(-8).join("\n")}`,
  );
  assert.match(seen, pattern, tails.join("\n"));
}

/** One host gets the files of what was rendered last, and its daemons read them, in the order of their units. */
async function upgrade(name: Name): Promise<void> {
  place(rendered, name, rootOf(name));
  await restart(name, "etcd");
  await eventually(() => etcdctl(name, "endpoint", "health"), /is healthy/);
  if (!masters.includes(name)) return;
  await restart(name, "kube-apiserver");
  const server = `https://${addresses[name]}:6443`;
  await eventually(() => kubectl(admin(name), `--server=${server}`, "get", "--raw", "/readyz"), /^ok$/);
  if (name === "n1") await restart(name, "kube-controller-manager");
}

async function build(): Promise<void> {
  rendered = renderFixture(cluster, await openPki(join(folder, "plant.pki"), cluster.topology, new Date()));
}

async function step(name: string): Promise<void> {
  const { code, output } = rotate(...all, "--step", name);
  assert.equal(code, 0, output);
  await build();
  for (const one of names) await upgrade(one);
}

/** The program that asks without rest; `end` gives what it counted. */
function steadyClient(kubeconfig: string): { end: () => Promise<{ done: number; failures: string[] }> } {
  const program = join(import.meta.dirname, "../programs/steady-client.ts");
  const servers = masters.map((name) => `https://${addresses[name]}:6443`);
  const [command = "", ...rest] = hosts.on("n3", [process.execPath, program, kubeconfig, ...servers]);
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  running.set(kubeconfig, child);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  return {
    async end() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.stdin.end();
      await ended;
      return JSON.parse(said) as { done: number; failures: string[] };
    },
  };
}

/** Whose the certificate is that the controller-manager signs for a kubelet now. */
async function issuerOfKubelet(name: string): Promise<string> {
  const key = join(folder, "kubelet-key.pem");
  spawnSync("openssl", ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key]);
  const subject = `/O=system:nodes/CN=system:node:n2`;
  const { stdout } = spawnSync("openssl", ["req", "-new", "-key", key, "-subj", subject]);
  const spec = {
    request: stdout.toString("base64"),
    signerName: "kubernetes.io/kube-apiserver-client-kubelet",
    usages: ["digital signature", "key encipherment", "client auth"],
  };
  const object = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name }, spec };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(object));
  const as = ["--as=system:node:n2", "--as-group=system:nodes", "--as-group=system:authenticated"];
  await eventually(() => kubectl(admin(), ...as, "create", "-f", path), /created/);
  kubectl(admin(), "certificate", "approve", name);
  await eventually(() => kubectl(admin(), "get", "csr", name), /Approved,Issued/);
  const issued = kubectl(admin(), "get", "csr", name, "-o=jsonpath={.status.certificate}");
  return (
    new X509Certificate(Buffer.from(issued, "base64")).issuer.split("\n").find((line) => line.startsWith("CN=")) ?? ""
  );
}

const old = join(folder, "old.kubeconfig");
const asOld = (...words: string[]): string => kubectl(old, ...words);
/** `200`, `403` (who it is is known) or `401`, of a pod's token. */
function tokenAnswer(token: string, name: Name): string {
  const server = `https://${addresses[name]}:6443`;
  return run("n1", [
    "curl",
    "-sk",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "-H",
    `Authorization: Bearer ${token}`,
    `${server}/api/v1/namespaces`,
  ]);
}
function newToken(): string {
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const asked = join(folder, "token.json");
  writeFileSync(asked, JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }));
  return (JSON.parse(kubectl(admin(), "create", "--raw", path, "-f", asked)) as { status: { token: string } }).status
    .token;
}

/** What each Secret in etcd begins with, as `grep` of docs/day-2-rotation.md finds it. */
function prefixes(): string[] {
  return [...new Set(etcdctl("n1", "get", "/registry/secrets/", "--prefix").match(/k8s:enc:\w+:v1:key\d+:/g))];
}

test("a cluster starts, with its first CAs and keys", async () => {
  await build();
  for (const name of names) {
    place(rendered, name, rootOf(name));
    mkdirSync(join(rootOf(name), "var/lib/etcd"), { recursive: true, mode: 0o700 });
    start(name, "etcd");
  }
  for (const name of names) await eventually(() => etcdctl(name, "endpoint", "health"), /is healthy/);
  for (const name of masters) start(name, "kube-apiserver");
  start("n1", "kube-controller-manager");
  await eventually(() => kubectl(admin(), "get", "--raw", "/readyz"), /^ok$/);
  await eventually(
    () => kubectl(admin("n2"), `--server=https://${addresses.n2}:6443`, "get", "--raw", "/readyz"),
    /^ok$/,
  );
  assert.notDeepEqual(await rightsAt("n1").bring(), []);
  assert.deepEqual(await rightsAt("n2").bring(), [], "by the first master's");
  await eventually(() => kubectl(admin(), "get", "serviceaccount", "default"), /^default/m);
  kubectl(admin(), "create", "secret", "generic", "of-before", "--from-literal=word=plaintext");
  copyFileSync(admin(), old);
  const { code, output } = rotate();
  assert.equal(code, 0);
  assert.match(output, /^etcd-ca +never rotated$/m);
  assert.equal(rotate(...all, "--step", "reissue").code, 2, "trust comes first");
  assert.match(await issuerOfKubelet("first"), /^CN=kubernetes-ca$/);
});

const tokens: string[] = [];

test("three steps later everything is new, and no client has noticed", async () => {
  const steady = steadyClient(admin());
  const ofBefore = steadyClient(old);
  tokens.push(newToken());

  await step("trust");
  assert.match(rotate(...all, "--step", "trust").output, /is at the step trust already; nothing was changed/);
  assert.match(asOld("get", "nodes"), /No resources found|NAME/);
  assert.match(await issuerOfKubelet("second"), /^CN=kubernetes-ca$/);
  assert.deepEqual(prefixes(), ["k8s:enc:aescbc:v1:key1:"]);

  await step("reissue");
  assert.match(asOld("get", "nodes"), /No resources found|NAME/);
  assert.match(await issuerOfKubelet("third"), /^CN=kubernetes-ca-2$/);
  for (const name of masters) assert.equal(tokenAnswer(tokens[0] ?? "", name), "403");
  tokens.push(newToken());
  for (const name of masters) assert.equal(tokenAnswer(tokens[1] ?? "", name), "403");
  const served = run("n3", ["openssl", "s_client", "-connect", `${addresses.n2}:6443`, "-showcerts"], "");
  assert.match(served, /i:.*kubernetes-ca-2/);
  const rewrite = `${join(daemons.folder, "kubectl")} --kubeconfig=${admin()} get secrets -A -o json | ${join(daemons.folder, "kubectl")} --kubeconfig=${admin()} replace -f -`;
  await eventually(() => {
    run("n1", ["bash", "-c", rewrite]);
    return prefixes().join();
  }, /^k8s:enc:aescbc:v1:key2:$/);

  const { done, failures } = await ofBefore.end();
  assert.deepEqual(failures, [], `the kubeconfig of before, of ${done} rounds`);
  assert.ok(done > 20, `${done} rounds`);

  await step("drop");
  assert.match(await issuerOfKubelet("fourth"), /^CN=kubernetes-ca-2$/);
  const counted = await steady.end();
  assert.deepEqual(counted.failures, [], `of ${counted.done} rounds`);
  assert.ok(counted.done > done);
  console.log(`# ${counted.done} rounds of four requests, ${done} of them with the kubeconfig of before: 0 failed`);
});

test("rights that were taken away come back by the new CA, whichever master brings them", async () => {
  kubectl(admin(), "delete", "clusterrolebinding", "kubeferry:administrators");
  await eventually(() => kubectl(admin(), "get", "nodes"), /cannot list/);
  assert.notDeepEqual(await rightsAt("n2").bring(), []);
  await eventually(() => kubectl(admin(), "get", "nodes"), /No resources found|NAME/);
});

test("after the last step the old CA, key and kubeconfig open nothing, and old Secrets are read", () => {
  assert.match(asOld("get", "nodes"), /x509|certificate|Unauthorized/);
  assert.match(
    asOld("--insecure-skip-tls-verify", "--certificate-authority=", "get", "nodes"),
    /logged in|Unauthorized|x509/,
  );
  for (const name of masters) {
    assert.equal(tokenAnswer(tokens[0] ?? "", name), "401");
    assert.equal(tokenAnswer(tokens[1] ?? "", name), "403");
  }
  assert.equal(
    kubectl(admin(), "get", "secret", "of-before", "-o=jsonpath={.data.word}"),
    Buffer.from("plaintext").toString("base64"),
  );
  assert.deepEqual(prefixes(), ["k8s:enc:aescbc:v1:key2:"]);
  const pki = join(folder, "plant.pki");
  const gone = [
    readFileSync(join(pki, "encryption.key"), "utf8").trim(),
    ...["kubernetes-ca", "etcd-ca", "front-proxy-ca"].map((name) =>
      bodyOf(readFileSync(join(pki, `${name}.pem`), "utf8")),
    ),
  ];
  for (const name of names) {
    const etc = join(rootOf(name), "etc");
    for (const file of readdirSync(etc, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())) {
      const text = readFileSync(join(file.parentPath, file.name), "utf8");
      for (const secret of gone) assert.ok(!text.includes(secret), `${file.parentPath}/${file.name}`);
    }
  }
  assert.match(rotate("kubernetes-ca").output, /^kubernetes-ca +drop: only the new one is left$/m);
});

/** The last block's second line: of a key and a certificate that of the certificate. */
function bodyOf(pem: string): string {
  return pem.trim().split("\n").at(-3) ?? "";
}
