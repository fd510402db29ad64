/** Certificates: days left, renewal from a newer bundle and on a node that has the CA, and the way back. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { BundleIndex } from "#bundle";
import { generateKey, makeCertificate, privatePem } from "#x509";
import { readKubeconfig } from "../../installer/certificates/kubeconfig.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, pictureOf, type Ran } from "../programs/tree.ts";

const day = 86_400_000;
const pki = "/etc/kubernetes/pki";
let folder: string;
let ca: { certificate: string; key: Awaited<ReturnType<typeof generateKey>> };
let etcdCa: typeof ca;

async function authority(name: string): Promise<typeof ca> {
  const key = await generateKey("RSA-2048");
  const span = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 3650 * day) };
  const request = {
    subject: { commonName: name },
    publicKey: createPublicKey(key),
    issuer: null,
    usages: [],
    sans: [],
    ...span,
  };
  return { certificate: makeCertificate(request, key), key };
}

async function leaf(name: string, by: typeof ca, days: number): Promise<{ certificate: string; key: string }> {
  const key = await generateKey("RSA-2048");
  const certificate = makeCertificate(
    {
      subject: { commonName: name, organization: "system:masters" },
      publicKey: createPublicKey(key),
      notBefore: new Date(Date.now() - 335 * day),
      notAfter: new Date(Date.now() + days * day),
      issuer: by,
      usages: ["server", "client"],
      sans: ["127.0.0.1", "10.0.0.11", "kubernetes.default"],
    },
    by.key,
  );
  return { certificate, key: privatePem(key) };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const kubeconfig = (pair: { certificate: string; key: string }): string =>
  [
    "clusters:",
    "  - cluster:",
    "      server: https://127.0.0.1:6443",
    `      certificate-authority-data: ${base64(ca.certificate)}`,
    "users:",
    "  - user:",
    `      client-certificate-data: ${base64(pair.certificate)}`,
    `      client-key-data: ${base64(pair.key)}`,
    "",
  ].join("\n");

/** A master's bundle whose leaves have `days` left. */
async function bundleWith(name: string, days: number): Promise<string> {
  const [server, manager, haproxy, etcd] = [
    await leaf("kube-apiserver", ca, days),
    await leaf("system:kube-controller-manager", ca, days),
    await leaf("kubeferry:haproxy", ca, days),
    await leaf("etcd", etcdCa, days),
  ];
  const secret = { mode: "0600", sensitive: true } as const;
  const files: FileWish[] = [
    ...nodeFiles,
    { path: `${pki}/ca.pem`, content: ca.certificate },
    { path: `${pki}/ca-key.pem`, content: privatePem(ca.key), ...secret },
    { path: `${pki}/kube-apiserver.pem`, content: server.certificate },
    { path: `${pki}/kube-apiserver-key.pem`, content: server.key, ...secret },
    { path: `${pki}/kube-controller-manager.pem`, content: manager.certificate },
    { path: `${pki}/kube-controller-manager-key.pem`, content: manager.key, ...secret },
    { path: "/etc/kubernetes/kube-controller-manager.kubeconfig", content: kubeconfig(manager), ...secret },
    { path: `${pki}/haproxy.pem`, content: haproxy.certificate + haproxy.key, ...secret },
    { path: `${pki}/etcd/etcd.pem`, content: etcd.certificate },
    { path: `${pki}/etcd/etcd-key.pem`, content: etcd.key, ...secret },
    { path: "/opt/ferry/bin/version", content: name },
  ];
  return writeNodeBundle(join(folder, `${name}.tar`), { files, edit });
}

function edit(index: BundleIndex): void {
  const holding = index.files.filter(({ path }) => /(?<!-key)\.(pem|kubeconfig)$/.test(path));
  const span = { notBefore: "", notAfter: "" };
  index.certificates = holding.map(({ path }) => ({ path, node: "n1", subject: path, sans: [], ...span }));
  for (const file of index.files) {
    if (file.path.startsWith(pki)) file.origin = { from: "pki", name: file.path };
    if (file.path === `${pki}/ca.pem` || file.path === `${pki}/ca-key.pem`)
      file.origin = { from: "pki", name: "kubernetes CA" };
    if (file.path.endsWith(".kubeconfig"))
      file.origin = { from: "template", template: "manifests/kubeconfigs/certificate.kubeconfig.ejs" };
  }
  const [serve] = index.units;
  assert.ok(serve);
  serve.restartOn.push(`${pki}/kube-apiserver.pem`);
}

let short: string;
let long: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-renew-"));
  [ca, etcdCa] = [await authority("kubernetes-ca"), await authority("etcd-ca")];
  [short, long] = [await bundleWith("short", 20), await bundleWith("long", 300)];
});
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function installed(bundle: string): Promise<string> {
  count += 1;
  const root = join(folder, `root-${count}`);
  mkdirSync(root);
  assertCode(await installer("--bundle", bundle, "--role", "master", "--ip", "10.0.0.11", "--root", root), 0);
  return root;
}

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}
const text = (root: string, path: string): string => readFileSync(join(root, path), "utf8");
const certificate = (root: string, path: string): X509Certificate => new X509Certificate(text(root, path));
const bare = (picture: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(picture).filter(([path]) => !path.startsWith("var/lib/kubeferry")));

test("status tells the days left of every certificate, and is unhealthy under thirty", async () => {
  const root = await installed(short);
  const told = await installer("status", "--certificates", "--root", root);
  assertCode(told, 9);
  assert.match(
    told.stdout,
    /error +certificate +\/etc\/kubernetes\/pki\/kube-apiserver\.pem \(.*\): (19|20) days left/,
  );
  assert.match(told.stdout, /kube-controller-manager\.kubeconfig/);
  assert.match(
    told.stdout,
    /ok +certificate +\/etc\/kubernetes\/pki\/ca\.pem \(CN=kubernetes-ca\): 36(49|50) days left/,
  );
  const journal = await installer("status", "--certificates", "--priorities", "--root", root);
  assertCode(journal, 9);
  assert.match(journal.stdout, /^<4>certificate: .*kube-apiserver\.pem/m);
  assert.match(journal.stdout, /^<6>certificate: .*ca\.pem/m);
  const records = (await installer("status", "--json", "--root", root)).stdout.split("\n");
  assert.equal(records.filter((line) => line.includes('"type":"certificate"')).length, 6);
  const good = await installed(long);
  assertCode(await installer("status", "--certificates", "--root", good), 0);
  assertCode(await installer("certificates", "--root", good), 0);
  const file = join(folder, "kubeferry.prom");
  assertCode(await installer("certificates", "--root", good, "--days", "301", "--textfile", file), 9);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const sample = /^kubeferry_certificate_not_after_timestamp_seconds\{path="[^"]+",subject="[^"]+"\} (\d+)$/;
  const ends = lines.filter((line) => !line.startsWith("#")).map((line) => Number(sample.exec(line)?.[1]) * 1000);
  assert.equal(ends.length, 6, lines.join("\n"));
  const server = certificate(good, `${pki}/kube-apiserver.pem`).validToDate.getTime();
  assert.ok(ends.includes(server), "to the second, as openssl reads it");
  assert.equal(statSync(file).mode & 0o777, 0o644, "another user's exporter reads it");
});

test("renewal from a newer bundle changes certificates, keys and kubeconfigs, and nothing else", async () => {
  const root = await installed(short);
  const old = bare(pictureOf(root));
  const done = await installer("renew", "--bundle", long, "--root", root, "--json");
  assertCode(done, 0);
  const changed = Object.entries(bare(pictureOf(root)))
    .filter(([path, now]) => old[path] !== now)
    .map(([path]) => path);
  assert.deepEqual(changed.toSorted(), [
    "etc/kubernetes/kube-controller-manager.kubeconfig",
    "etc/kubernetes/pki/etcd/etcd-key.pem",
    "etc/kubernetes/pki/etcd/etcd.pem",
    "etc/kubernetes/pki/haproxy.pem",
    "etc/kubernetes/pki/kube-apiserver-key.pem",
    "etc/kubernetes/pki/kube-apiserver.pem",
    "etc/kubernetes/pki/kube-controller-manager-key.pem",
    "etc/kubernetes/pki/kube-controller-manager.pem",
  ]);
  assert.equal(text(root, "opt/ferry/bin/version"), "short");
  assertCode(await installer("status", "--certificates", "--root", root), 0);
  assertCode(await installer("audit", "--root", root), 0);
  assertCode(await installer("rollback", "--root", root), 0);
  assert.deepEqual(bare(pictureOf(root)), old);
});

test("a node with the CA's key signs its own leaves anew; those of another CA stay", async () => {
  const root = await installed(short);
  const old = bare(pictureOf(root));
  const before = certificate(root, `${pki}/kube-apiserver.pem`);
  const dry = await installer("renew", "--root", root, "--dry-run");
  assertCode(dry, 0);
  assert.deepEqual(bare(pictureOf(root)), old);
  const done = await installer("renew", "--root", root);
  assertCode(done, 0);
  assert.match(done.stderr, /not renewed.*etcd\.pem/);

  const now = certificate(root, `${pki}/kube-apiserver.pem`);
  const authority = new X509Certificate(ca.certificate);
  assert.ok(now.verify(authority.publicKey) && now.checkIssued(authority));
  assert.ok(now.checkPrivateKey(createPrivateKey(text(root, `${pki}/kube-apiserver-key.pem`))));
  assert.equal(now.subject, before.subject);
  assert.equal(now.subjectAltName, before.subjectAltName);
  assert.deepEqual(now.keyUsage, before.keyUsage);
  assert.notEqual(now.serialNumber, before.serialNumber);
  assert.notDeepEqual(now.publicKey, before.publicKey);
  assert.ok(now.validToDate.getTime() > Date.now() + 300 * day);
  const config = readKubeconfig(text(root, "/etc/kubernetes/kube-controller-manager.kubeconfig"));
  assert.equal(config.certificate, text(root, `${pki}/kube-controller-manager.pem`), "one certificate, two places");
  assert.equal(config.key, text(root, `${pki}/kube-controller-manager-key.pem`));
  const joined = text(root, `${pki}/haproxy.pem`);
  assert.ok(
    new X509Certificate(joined).checkPrivateKey(createPrivateKey(joined)),
    "haproxy's certificate with its key",
  );
  assert.equal(joined.match(/^-----BEGIN/gm)?.length, 2);
  assert.equal(old[`etc/kubernetes/pki/etcd/etcd.pem`], bare(pictureOf(root))[`etc/kubernetes/pki/etcd/etcd.pem`]);
  assertCode(await installer("audit", "--root", root), 0);

  const journal = text(root, "var/lib/kubeferry/journal");
  assert.doesNotMatch(journal, /PRIVATE KEY|client-key-data/);
  assertCode(await installer("rollback", "--root", root), 0);
  assert.deepEqual(bare(pictureOf(root)), old);
  assertCode(await installer("renew", "--root", root), 0);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(Object.keys(pictureOf(root)), ["."]);
});

test("a bundle of another CA is refused, and a worker without the CA's key is sent to a bundle", async () => {
  const root = await installed(short);
  const mine = ca;
  ca = await authority("kubernetes-ca");
  const strange = await bundleWith("strange", 300);
  ca = mine;
  for (const command of ["renew", "upgrade"]) {
    const refused = await installer(command, "--bundle", strange, "--root", root);
    assertCode(refused, 6);
    assert.match(refused.stderr, /same-keys/);
  }
  const plain = join(folder, "worker");
  mkdirSync(plain);
  const bundle = await writeNodeBundle(join(folder, "plain.tar"));
  assertCode(await installer("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", plain), 0);
  const refused = await installer("renew", "--root", plain);
  assertCode(refused, 3);
  assert.match(refused.stderr, /renew --bundle/);
});
