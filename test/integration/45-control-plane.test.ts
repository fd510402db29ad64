/**
 * The rendered control plane of 1.36 with real daemons, for an operator who has them: their folder is given as
 * KUBEFERRY_KUBERNETES. Without it these tests are skipped, and say so: the distribution has no Kubernetes daemons.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../support/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../support/namespaces.ts";
import { requirePackages } from "../support/packages.ts";
import { below, commandLine, contentOf, filesOf, textOf } from "../support/placed-node.ts";

const binaries = process.env["KUBEFERRY_KUBERNETES"];
const skip =
  binaries === undefined ? "no Kubernetes daemons: set KUBEFERRY_KUBERNETES to a folder that has them" : false;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-plane-"));
const root = join(folder, "n1");
const running: ChildProcess[] = [];
let hosts: Hosts | undefined;
let rendered: Rendered;

before(async () => {
  if (skip !== false) return;
  requirePackages("etcd-server");
  hosts = makeHosts(`kp${process.pid}`, { n1: "10.64.3.1/24" });
  const text = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-single-node/cluster.yaml"), "utf8");
  const cluster = await fixtureCluster(text);
  rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  for (const directory of rendered.directories) mkdirSync(join(root, directory.path), { recursive: true });
  for (const file of filesOf(rendered, "n1")) {
    if (typeof file.content !== "string") continue;
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    // What names our folders names them below the root.
    writeFileSync(
      join(root, file.path),
      contentOf(file).replaceAll(/(?<![\w/])\/(?=(etc\/kubernetes|var\/lib\/kubelet)\b)/g, `${root}/`),
      {
        mode: Number.parseInt(file.mode, 8),
      },
    );
  }
  for (const name of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]) start(name);
  await eventually(() => kubectl("get", "--raw", "/readyz"), /^ok/);
});

after(() => {
  for (const child of running) child.kill("SIGKILL");
  hosts?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function start(name: string): void {
  const [, ...words] = commandLine(textOf(rendered, "n1", `/etc/systemd/system/${name}.service`));
  const program = name === "etcd" ? "/usr/bin/etcd" : join(binaries ?? "", name);
  const [command = "", ...rest] = hosts?.on("n1", [program, ...below(root, words)]) ?? [];
  const log = openSync(join(folder, `${name}.log`), "w");
  running.push(spawn(command, rest, { stdio: ["ignore", log, log] }));
}

function kubectl(...words: string[]): string {
  const argv = [join(binaries ?? "", "kubectl"), `--kubeconfig=${root}/etc/kubernetes/admin.kubeconfig`, ...words];
  const [command = "", ...rest] = hosts?.on("n1", argv) ?? [];
  const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  return stdout + stderr;
}

async function eventually(what: () => string, pattern: RegExp): Promise<void> {
  let seen = "";
  for (let turn = 0; turn < 120; turn += 1) {
    seen = what();
    if (pattern.test(seen)) return;
    await sleep(500);
  }
  const logs = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((name) => {
    const text = readFileSync(join(folder, `${name}.log`), "utf8");
    return `== ${name}\n${text.split("\n").slice(-8).join("\n")}`;
  });
  assert.match(seen, pattern, logs.join("\n"));
}

test(
  "the API server, the controller manager and the scheduler are healthy, as their health checks ask",
  { skip },
  async () => {
    for (const check of rendered.checks.filter(({ name }) => /^kube-(apiserver|controller|scheduler)/.test(name))) {
      const [, ...words] = check.argv.map((word) => word.replace("=/etc/", `=${root}/etc/`));
      await eventually(() => kubectl(...words), new RegExp(check.matches ?? ""));
    }
  },
);

test("nobody without a certificate is answered", { skip }, () => {
  const [command = "", ...rest] = hosts?.on("n1", ["curl", "-sk", "https://10.64.3.1:6443/api"]) ?? [];
  assert.match(spawnSync(command, rest, { encoding: "utf8" }).stdout, /Unauthorized/);
});

test("the API server takes every object, and takes it again", { skip }, () => {
  for (const object of rendered.objects.filter(({ via }) => via === "kubectl")) {
    for (const answer of [/created|unchanged|configured/, /unchanged|configured/]) {
      const output = kubectl("apply", "-f", join(root, object.path ?? ""));
      assert.match(output, answer, object.name);
      assert.doesNotMatch(output, /error|Error|[Ww]arning|invalid|strict decoding/, `${object.name}: ${output}`);
    }
  }
});

test("addons that this cluster did not choose are taken as well", { skip }, async () => {
  const text = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-etcd-apart/cluster.yaml"), "utf8");
  const other = await fixtureCluster(text);
  const calico = textOf(renderFixture(other), "m1", "/etc/kubernetes/kubeferry/calico.yaml");
  writeFileSync(join(folder, "calico.yaml"), calico);
  const output = kubectl("apply", "--dry-run=server", "-f", join(folder, "calico.yaml"));
  assert.doesNotMatch(output, /rror|arning/, output);
});

test("Secrets are unreadable in etcd", { skip }, () => {
  kubectl("create", "secret", "generic", "probe", "--from-literal=word=plaintext-word");
  const pki = join(root, "etc/kubernetes/pki/etcd");
  const argv = ["etcdctl", "--endpoints=https://127.0.0.1:2379", `--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`];
  const [command = "", ...rest] =
    hosts?.on("n1", [...argv, `--key=${pki}/etcd-key.pem`, "get", "/registry/secrets/default/probe"]) ?? [];
  const { stdout } = spawnSync(command, rest, { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } });
  assert.match(stdout, /k8s:enc:secretbox:v1:key1/);
  assert.doesNotMatch(stdout, /plaintext-word/);
});

test("a kubelet's token lets it ask for its certificate, which is approved and issued", { skip }, async () => {
  const key = join(folder, "kubelet-key.pem");
  const request = join(folder, "kubelet.csr");
  spawnSync("openssl", [
    "req",
    "-new",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-subj",
    "/O=system:nodes/CN=system:node:n1",
    "-out",
    request,
  ]);
  const manifest = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "probe" },
    spec: {
      request: readFileSync(request).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages: ["digital signature", "key encipherment", "client auth"],
    },
  };
  writeFileSync(join(folder, "csr.json"), JSON.stringify(manifest));
  const as = `--kubeconfig=${root}/etc/kubernetes/kubelet-bootstrap.kubeconfig`;
  await eventually(() => kubectl(as, "create", "-f", join(folder, "csr.json")), /created/);
  await eventually(() => kubectl("get", "csr", "probe"), /Approved,Issued/);
  assert.match(kubectl(as, "get", "secrets", "-A"), /[Ff]orbidden/);
});
