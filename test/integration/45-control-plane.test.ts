/**
 * What is rendered for Kubernetes, judged by real daemons: those built of the distribution's source, or of any other version
 * in the folder that KUBEFERRY_KUBERNETES names.
 * etcd, the control plane and kube-proxy run in a network namespace; the kubelet, which needs a runtime, reads its files.
 * Their CAs are a company's intermediates with keys of ECDSA; the clusters on virtual machines have RSA, signed by themselves.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { doubtOf, readFlagTable } from "../../builder/config/flag-table.ts";
import { digestOf } from "#bundle";
import { isSince } from "#formats/version";
import { importAuthorities, requestAuthorities } from "../../builder/pki/intermediate.ts";
import { renderFixture } from "../builders/fixture-cluster.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { identitiesIn } from "../../installer/resources/manifest.ts";
import { type FormerState, inspect, spec, steps } from "../../installer/resources/object-former.ts";
import type { FormerId, ManifestId } from "../../installer/resources/object-id.ts";
import * as manifests from "../../installer/resources/object-kubectl.ts";
import { isUnknown } from "../../installer/resources/resource.ts";
import { readKubeconfig } from "../../installer/certificates/kubeconfig.ts";
import { type Ended, type Started, startInstallerOn } from "../programs/as-master.ts";
import { companyCa } from "../programs/company-ca.ts";
import { kubeletFields } from "../machines/pods-in-containers.ts";
import { address, startControlPlane } from "../programs/control-plane.ts";
import { clusterFor, kubernetesDaemons } from "../programs/kubernetes-daemons.ts";
import { commandLine, textOf } from "../builders/placed-node.ts";

const daemons = await kubernetesDaemons();
const { folder: binaries, version } = daemons;
const ofKubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];
const clusterYaml = `
name: single
nodes:
  - { name: n1, ip: ${address}, roles: [etcd, control-plane, worker] }
network: { plugin: flannel, proxyMode: iptables }
certificates: { algorithm: ECDSA-P256 }
kubelet: { ${kubeletFields(daemons)} }
`;
const plane = await startControlPlane(daemons, clusterYaml, async (pki, cluster, folder) => {
  const company = companyCa(folder);
  const requests = await requestAuthorities(pki, cluster.topology);
  const texts = [company.root, ...requests.map(({ csr }) => company.sign(csr))];
  await importAuthorities(pki, { ...cluster, texts, only: null, now: new Date() });
});
const { root, folder, hosts, rendered, start, kubectl, rights, run, eventually, logOf } = plane;
const { manifest } = plane.cluster;

after(() => plane.close());

test("these daemons know every flag that is rendered for them, and the table of flags denies none of theirs", (t) => {
  const table = readFlagTable();
  t.diagnostic(`Kubernetes ${version} of ${binaries}`);
  for (const name of ofKubernetes) {
    const { stdout, stderr } = spawnSync(join(binaries, name), ["--help"], { encoding: "utf8" });
    const known = new Set([...(stdout + stderr).matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, flag = ""]) => flag));
    assert.ok(known.size > 30, `${name} --help lists its flags`);
    const [, ...words] = commandLine(textOf(rendered, "n1", `/etc/systemd/system/${name}.service`));
    const unknown = words.map((word) => /^--([^=]+)/.exec(word)?.[1] ?? word).filter((flag) => !known.has(flag));
    assert.deepEqual(unknown, [], `${name} ${version}`);
    // What the table calls gone or not yet there is refused: it must not be there. (What is there may be hidden from --help.)
    // A build from before the release may still have what it calls deprecated.
    const going = new Set(
      [...(stdout + stderr).matchAll(/^ +--([\w-]+) .*DEPRECATED.*(removed|no-op)/gim)].map(([, flag]) => flag),
    );
    const refused = [...known].filter(
      (flag) => !going.has(flag) && doubtOf(table, name, flag, manifest)?.severity === "error",
    );
    assert.deepEqual(refused, [], `${name} ${version} has these, and manifests/flags.yaml says that it has not`);
  }
});

test("the API server, the controller manager and the scheduler are healthy, as their health checks ask", async () => {
  for (const check of rendered.checks.filter(({ name }) => /^kube-(apiserver|controller|scheduler)/.test(name))) {
    await eventually(() => run(check.argv), new RegExp(check.matches ?? ""));
  }
});

test("no certificate of system:masters is on the node; its administrator's rights can be taken away, and come back", async () => {
  const binding = ["clusterrolebinding", "kubeferry:administrators"];
  const mayAll = (): string => kubectl("auth", "can-i", "*", "*");
  const signed = `${rights.id.scratch}.kubeconfig`;
  const masters = (): string[] => groupsOn(root).filter((groups) => groups.includes("system:masters"));
  assert.match(mayAll(), /^yes/);
  assert.ok(groupsOn(root).includes("CN=admin\nO=kubeferry:administrators"), groupsOn(root).join());
  assert.deepEqual(masters(), []);
  assert.ok(!existsSync(signed));
  assert.deepEqual(await rights.bring(), [], "what is there is left alone");

  const copy = join(folder, "copy.kubeconfig");
  copyFileSync(join(root, "etc/kubernetes/admin.kubeconfig"), copy);
  assert.match(kubectl("delete", ...binding), /deleted/);
  await eventually(() => kubectl(`--kubeconfig=${copy}`, "get", "secrets", "-A"), /cannot list/);
  const without = await rights.look();
  assert.ok(without?.via === "kubectl" && without.is.applied === null && without.is.missing.length === 1);

  // The power goes with the credential on the disk, which ends by itself, and with the binding made but not marked.
  assert.equal((await rights.bring(1)).length, 1);
  const { certificate } = readKubeconfig(readFileSync(signed, "utf8"));
  const { subject, validToDate } = new X509Certificate(certificate ?? "");
  assert.equal(subject, "CN=kubeferry:grant\nO=system:masters");
  assert.ok(validToDate.getTime() - Date.now() <= 600_000);
  assert.equal(statSync(signed).mode & 0o777, 0o600);
  await rights.bring(2);
  const effects = await rights.bring();
  assert.deepEqual(effects.at(0)?.do, "sign");
  assert.match(mayAll(), /^yes/);
  assert.ok(!existsSync(signed));
  assert.deepEqual(masters(), []);

  // Undo of the last master takes them away by themselves.
  await rights.takeBack(without);
  await eventually(mayAll, /^no|Forbidden/);
  await rights.bring();

  // Over another group's: what is there and may not be looked at is set right as well.
  const subjects = '{"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"others"}]}';
  kubectl("patch", ...binding, "--type=merge", "-p", subjects);
  await eventually(mayAll, /^no|Forbidden/);
  await rights.bring();
  assert.match(mayAll(), /^yes/);
});

/** Subjects of all certificates below a folder, those inside kubeconfigs too. */
function groupsOn(folder: string): string[] {
  const texts = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  return texts
    .map((text) => readKubeconfig(text).certificate ?? text)
    .filter((text) => text.startsWith("-----BEGIN CERTIFICATE"))
    .map((text) => new X509Certificate(text).subject);
}

test("nobody without a certificate is answered", () => {
  const [command = "", ...rest] = hosts.on("n1", ["curl", "-sk", "https://10.64.3.1:6443/api"]);
  assert.match(spawnSync(command, rest, { encoding: "utf8" }).stdout, /Unauthorized/);
});

test("the API server takes every object, and takes it again", () => {
  for (const object of rendered.objects.filter(({ via }) => via === "kubectl")) {
    for (const answer of [/created|unchanged|configured/, /unchanged|configured/]) {
      const output = kubectl("apply", "-f", join(root, object.path ?? ""));
      assert.match(output, answer, object.name);
      assert.doesNotMatch(output, /error|Error|[Ww]arning|invalid|strict decoding/, `${object.name}: ${output}`);
    }
  }
});

test("masters that bring one object at the same moment all succeed, and it is there", async () => {
  const client = hosts.on("n1", [join(binaries, "kubectl"), `--kubeconfig=${root}/etc/kubernetes/admin.kubeconfig`]);
  const names = Array.from({ length: 10 }, (_, at) => `raced-${at}`);
  const text = names.map((name) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`).join("---\n");
  const path = join(folder, "raced.yaml");
  writeFileSync(path, text);
  const id: ManifestId = {
    via: "kubectl",
    name: "raced",
    path,
    digest: digestOf(text),
    client,
    environment: { HOME: "/proc" },
    scratch: join(folder, "object"),
  };
  const master = async (at: number): Promise<void> => {
    const contents = { stage: join(folder, `stage-${at}`), before: join(folder, `before-${at}`) };
    const host = createLocalHost({ root: "/", contents });
    for (const effect of manifests.steps(id, manifests.spec(id))) await host.perform(effect);
  };
  await Promise.all(Array.from({ length: 6 }, (_, at) => master(at)));
  const found = kubectl("get", "configmaps", "-o=jsonpath={.items[*].metadata.name}").split(" ");
  assert.equal(found.filter((name) => name.startsWith("raced-")).length, names.length);
});

test("an object that its manifest no longer has is taken away, and made again with all that it said", async () => {
  const host = createLocalHost({
    root: "/",
    contents: { stage: join(folder, "stage"), before: join(folder, "before") },
  });
  const client = hosts.on("n1", [join(binaries, "kubectl"), `--kubeconfig=${root}/etc/kubernetes/admin.kubeconfig`]);
  const manifest = join(root, rendered.objects.find(({ name }) => name === "coredns")?.path ?? "");
  const environment = { HOME: "/proc" };
  const identities = identitiesIn(readFileSync(manifest, "utf8")) ?? [];
  assert.ok(identities.length > 4);
  const goes = async (id: FormerId, to: FormerState): Promise<FormerState> => {
    const now = await inspect(host, id);
    assert.ok(!isUnknown(now), JSON.stringify(now));
    for (const effect of steps(id, now, to)) await host.perform(effect);
    const then = await inspect(host, id);
    assert.ok(!isUnknown(then), JSON.stringify(then));
    return then;
  };
  const specOf = (state: FormerState): unknown =>
    (JSON.parse(state?.text ?? "null") as { items: { spec?: unknown }[] }).items[0]?.spec;
  for (const identity of identities) {
    const id: FormerId = {
      via: "former",
      name: "x",
      identity,
      client,
      environment,
      scratch: join(folder, "object"),
    };
    const before = await inspect(host, id);
    assert.ok(!isUnknown(before) && before !== null, JSON.stringify(before));
    assert.equal(spec(before), null, "without the mark it is nobody's");
    assert.equal(await goes(id, null), null);
    const after = await goes(id, before);
    assert.deepEqual(specOf(after), specOf(before), identity.kind);
    // And over one that is there.
    assert.deepEqual(specOf(await goes(id, before)), specOf(before), identity.kind);
  }
  assert.doesNotMatch(kubectl("apply", "-f", manifest), /created|configured|[Ww]arning/);
  const unserved = { apiVersion: "plant.example/v1", kind: "Valve", namespace: null, name: "v" };
  const none: FormerId = { via: "former", name: "x", identity: unserved, client, environment, scratch: "/x" };
  assert.equal(await inspect(host, none), null, "its definition went before it");
});

test("a person's credential of ./install admin is for days, may what its group may, and can lose it", async () => {
  const file = (name: string): string => join(folder, `${name}.kubeconfig`);
  const admin = (name: string, ...words: string[]): Promise<Ended> =>
    startInstallerOn((argv) => hosts.on("n1", argv), root, ...["admin", "--for", name, "-o", file(name), ...words])
      .ended;
  const alice = await admin("alice");
  assert.equal(alice.code, 0, alice.stderr);
  assert.equal(statSync(file("alice")).mode & 0o777, 0o600);
  assert.equal((await admin("alice")).code, 2, "what is there is not overwritten");
  const bob = await admin("bob", "--group", "developers", "--days", "7");
  assert.equal(bob.code, 0, bob.stderr);
  for (const words of [
    ["--group", "system:nodes"],
    ["--days", "0"],
    ["--days", "1000"],
  ]) {
    assert.equal((await admin("carol", ...words)).code, 2);
  }
  assert.equal((await admin("system:kube-scheduler")).code, 2);

  const { certificate } = readKubeconfig(readFileSync(file("alice"), "utf8"));
  const { subject, validFromDate, validToDate } = new X509Certificate(certificate ?? "");
  assert.equal(subject, "CN=alice\nO=kubeadm:cluster-admins");
  assert.ok(validToDate.getTime() - validFromDate.getTime() <= 25 * 3_600_000);
  const as = (name: string): string => `--kubeconfig=${file(name)}`;
  assert.match(kubectl(as("alice"), "auth", "can-i", "*", "*"), /^yes/);
  assert.match(kubectl(as("bob"), "get", "secrets", "-A"), /User "bob" cannot list/);
  kubectl("delete", "clusterrolebinding", "kubeadm:cluster-admins");
  await eventually(() => kubectl(as("alice"), "get", "secrets", "-A"), /User "alice" cannot list/);
});

test("addons that this cluster did not choose are taken as well", async () => {
  const others = clusterYaml.replace("flannel", "calico").concat("addons: [coredns, metrics-server, dashboard]");
  const other = await clusterFor(
    daemons,
    isSince(version, "1.24") ? others.replace(", dashboard", "") : others,
    folder,
  );
  for (const object of renderFixture(other).objects.filter(({ via }) => via === "kubectl")) {
    // The release's own file, of which only the name is here.
    if (object.name === "calico-crds") continue;
    const path = join(folder, `${object.name}.yaml`);
    writeFileSync(path, textOf(renderFixture(other), "n1", object.path ?? ""));
    const output = kubectl("apply", "--dry-run=server", "-f", path);
    // Until 1.21 calico's own definitions are of a version that the server calls old.
    assert.doesNotMatch(output.replaceAll(/^Warning: apiextensions.*\n/gm, ""), /rror|arning/, output);
  }
});

test("Secrets are unreadable in etcd", () => {
  kubectl("create", "secret", "generic", "probe", "--from-literal=word=plaintext-word");
  const pki = dirname(join(root, rendered.files.find(({ path }) => path.endsWith("/etcd.pem"))?.path ?? ""));
  const argv = ["etcdctl", "--endpoints=https://127.0.0.1:2379", `--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`];
  const [command = "", ...rest] = hosts.on("n1", [
    ...argv,
    `--key=${pki}/etcd-key.pem`,
    "get",
    "/registry/secrets/default/probe",
  ]);
  const { stdout } = spawnSync(command, rest, { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } });
  assert.match(stdout, /k8s:enc:(secretbox|aescbc):v1:key1/);
  assert.doesNotMatch(stdout, /plaintext-word/);
});

/** What masters run, from the kubelets' first requests on. */
let approving: Started | undefined;
after(() => approving?.child.kill("SIGKILL"));
const kubeletKey = join(folder, "kubelet-key.pem");
const asBootstrapper = `--kubeconfig=${root}/etc/kubernetes/kubelet-bootstrap.kubeconfig`;

/** A request of the kubelet's key, in a file for `kubectl create`. */
function requestFile(name: string, signer: string, usage: string, ...subject: string[]): string {
  const { stdout: pem } = spawnSync("openssl", ["req", "-new", "-key", kubeletKey, "-subj", ...subject]);
  const manifest = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: pem.toString("base64"),
      signerName: `kubernetes.io/${signer}`,
      usages: ["digital signature", "key encipherment", usage],
    },
  };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(manifest));
  return path;
}

test("a kubelet's token gets its own node's certificate, and no other's", async () => {
  spawnSync("openssl", ["genrsa", "-out", kubeletKey, "2048"]);
  for (const [name, node] of [
    ["foreign", "n9"],
    ["probe", "n1"],
  ] as const) {
    const subject = `/O=system:nodes/CN=system:node:${node}`;
    const file = requestFile(name, "kube-apiserver-client-kubelet", "client auth", subject);
    await eventually(() => kubectl(asBootstrapper, "create", "-f", file), /created/);
  }
  symlinkSync(join(binaries, "kubectl"), join(root, "usr/local/bin/kubectl"));
  approving = startInstallerOn((argv) => hosts.on("n1", argv), root, "approve", "--watch");
  await eventually(() => kubectl("get", "csr", "probe"), /Approved,Issued/);
  assert.match(kubectl("get", "csr", "foreign"), /Pending/);
  assert.match(kubectl(asBootstrapper, "get", "secrets", "-A"), /[Ff]orbidden/);
});

test("one controller manager and one scheduler lead, as their checks ask", async () => {
  const leading = rendered.checks.filter(({ name }) => /^a kube-.* leads$/.test(name));
  assert.equal(leading.length, 2);
  for (const check of leading) await eventually(() => run(check.argv), / leads$/m);
});

test("a kubelet's serving certificate is approved as it is asked for, by approve --watch", async () => {
  assert.ok(approving !== undefined);
  const issued = kubectl("get", "csr", "probe", "-o=jsonpath={.status.certificate}");
  writeFileSync(join(folder, "kubelet.pem"), Buffer.from(issued, "base64"));
  const names = ["/O=system:nodes/CN=system:node:n1", "-addext", "subjectAltName=DNS:n1,IP:10.64.3.1"];
  const file = requestFile("serving", "kubelet-serving", "server auth", ...names);
  const asNode = [`--client-certificate=${join(folder, "kubelet.pem")}`, `--client-key=${kubeletKey}`];
  assert.match(kubectl(asBootstrapper, "--token=", ...asNode, "create", "-f", file), /created/);
  await eventually(() => kubectl("get", "csr", "serving"), /Approved,Issued/);
  approving.child.kill("SIGTERM");
  const { code, stdout, stderr } = await approving.ended;
  assert.equal(code, 0);
  assert.match(stdout, /approved +serving: serving certificate of n1/);
  assert.match(stderr, /foreign is left: the bootstrap token of n1 asks for the certificate of n9/);
});

test("the kubelet reads its configuration: no field and no flag is unknown to it", async () => {
  start("kubelet");
  // What follows is that no runtime answers.
  await eventually(() => logOf("kubelet"), /container ?runtime|CRI|containerd\.sock/i);
  assert.doesNotMatch(logOf("kubelet"), /unknown f|strict decoding|failed to (load|validate) kubelet|invalid config/i);
});

test("kube-proxy reads its configuration, answers as its check asks, and forwards the API service", async () => {
  start("kube-proxy");
  for (const check of rendered.checks.filter(({ name }) => name.startsWith("kube-proxy "))) {
    await eventually(() => run(check.argv), new RegExp(check.matches ?? "", "m"));
  }
  assert.doesNotMatch(logOf("kube-proxy"), /unknown field|strict decoding/i);
});

test("remove-node leaves nothing by which a node could get credentials, and touches no other's", async () => {
  const apply = (name: string, object: unknown, ...as: string[]): void => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(object));
    assert.match(kubectl("create", "-f", path, ...as), /created/);
  };
  const key = join(folder, "removed-key.pem");
  spawnSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]);
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  for (const node of ["n8", "n9"]) {
    apply(node, { apiVersion: "v1", kind: "Node", metadata: { name: node } });
    const token = { "token-id": `abcde${node[1]}`, "token-secret": "0123456789abcdef" };
    apply(`token-${node}`, {
      ...{ apiVersion: "v1", kind: "Secret", type: "bootstrap.kubernetes.io/token" },
      metadata: { name: `bootstrap-token-abcde${node[1]}`, namespace: "kube-system" },
      stringData: { ...token, description: `kubelet of ${node}` },
    });
    const subject = ["-subj", `/O=system:nodes/CN=system:node:${node}`, "-addext", `subjectAltName=DNS:${node}`];
    const { stdout } = spawnSync("openssl", ["req", "-new", "-key", key, ...subject]);
    const request = { request: stdout.toString("base64"), signerName: "kubernetes.io/kubelet-serving" };
    const usages = ["digital signature", "key encipherment", "server auth"];
    const kinds = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
    const as = [`--as=system:node:${node}`, "--as-group=system:nodes", "--as-group=system:authenticated"];
    apply(`csr-${node}`, { ...kinds, metadata: { name: `of-${node}` }, spec: { ...request, usages } }, ...as);
  }
  const on = (argv: readonly string[]): string[] => hosts.on("n1", argv);
  const remove = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await startInstallerOn(on, root, "remove-node", ...words).ended;
    assert.equal(code, 0, stdout + stderr);
    return stdout + stderr;
  };
  // Whole names: those of other secrets end in letters and digits by chance.
  const left = (node: string): string[] => {
    const lines = kubectl("get", "node,csr,secret", "-n", "kube-system", "-o", "name").split("\n");
    const own = [`node/${node}`, `/of-${node}`, `secret/bootstrap-token-abcde${node[1]}`];
    return own.filter((name) => lines.some((line) => line.endsWith(name)));
  };
  assert.match(await remove("n9", "--dry-run"), /bootstrap-token-abcde9/);
  assert.equal(left("n9").length, 3, "a dry-run removes nothing");
  assert.match(await remove("n9", "--yes"), /revokes no certificate/);
  assert.deepEqual(left("n9"), []);
  assert.equal(left("n8").length, 3, "the other node keeps its own");
});
