/** What a host does with the bundles of a rotation: no step is skipped, the kubelet comes along, and the way back is there. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rotationSteps } from "#bundle";
import { generateKey, makeCertificate, privatePem } from "#x509";
import { authorityOf, type Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { rotatableOf, rotate } from "../../builder/pki/rotation.ts";
import { openVault } from "../../builder/pki/vault.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { contentOf, filesOf } from "../builders/placed-node.ts";
import { installer, type Ran } from "../programs/tree.ts";

const clusterYaml = `
name: sample
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
certificates: { algorithm: ECDSA-P256 }
`;
const kubelet = "var/lib/kubelet/pki";
const names = ["first", ...rotationSteps] as const;
let folder: string;
let bundles: Record<(typeof names)[number], string>;
let pkis: Record<(typeof names)[number], Pki>;

/** What is of keys in a node of the cluster as it is rendered now. */
async function bundleOf(name: string, pki: Pki): Promise<string> {
  const cluster = await fixtureCluster(clusterYaml);
  const rendered = renderFixture(cluster, pki);
  const own = filesOf(rendered, "n1").filter(
    ({ origin, path }) => origin.from === "pki" || /kubeconfig$|encryption-config/.test(path),
  );
  const files: FileWish[] = own.map((file) => {
    const { path, mode, sensitive } = file;
    return { path, mode, sensitive, content: contentOf(file) };
  });
  const origins = new Map(own.map(({ path, origin }) => [path, origin]));
  return writeNodeBundle(join(folder, `${name}.tar`), {
    files: [...nodeFiles, ...files],
    edit(index) {
      for (const file of index.files) file.origin = origins.get(file.path) ?? file.origin;
      index.written = rendered.written.filter(({ by }) => by === "kubelet");
      if (rendered.keys !== undefined) index.keys = rendered.keys;
    },
  });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-rotated-"));
  const { topology } = await fixtureCluster(clusterYaml);
  const vault = await openVault(join(folder, "sample.pki"));
  const made: [string, Pki, string][] = [];
  for (const name of names) {
    if (name !== "first") await rotate(vault, topology, rotatableOf(topology), name);
    const pki = await openPki(vault.dir, topology, new Date());
    made.push([name, pki, await bundleOf(name, pki)]);
  }
  pkis = Object.fromEntries(made.map(([name, pki]) => [name, pki])) as typeof pkis;
  bundles = Object.fromEntries(made.map(([name, , path]) => [name, path])) as typeof bundles;
});
after(() => rmSync(folder, { recursive: true, force: true }));

let root: string;
const to = (name: keyof typeof bundles): Promise<Ran> =>
  installer("upgrade", "--bundle", bundles[name], "--root", root, "--yes");
const told = ({ stdout, stderr }: Ran): string => stdout + stderr;
const kubeconfig = (): string => readFileSync(join(root, "etc/kubernetes/kubelet.kubeconfig"), "utf8");

/** As a kubelet is issued it. */
async function kubeletCertificate(pki: Pki): Promise<void> {
  const ca = authorityOf(pki, "kubernetes");
  const key = await generateKey("ECDSA-P256");
  const certificate = makeCertificate(
    {
      ...{ subject: { commonName: "system:node:n1", organization: "system:nodes" }, publicKey: createPublicKey(key) },
      ...{ notBefore: ca.notBefore, notAfter: ca.notAfter, issuer: ca, usages: ["client"], sans: [] },
    },
    createPrivateKey(ca.key),
  );
  mkdirSync(join(root, kubelet), { recursive: true });
  writeFileSync(join(root, kubelet, "kubelet-client-current.pem"), certificate + privatePem(key), { mode: 0o600 });
}

test("a host goes from step to step, and over none", async () => {
  root = join(folder, "root");
  mkdirSync(root);
  const first = await installer(
    "--bundle",
    bundles.first,
    "--role",
    "etcd,master,worker",
    "--ip",
    "10.0.0.11",
    "--root",
    root,
  );
  assert.equal(first.code, 0, told(first));
  await kubeletCertificate(pkis.first);
  const data = Buffer.from(authorityOf(pkis.first, "kubernetes").certificate).toString("base64");
  const before = `clusters:\n- cluster:\n    certificate-authority-data: ${data}\n    server: https://10.0.0.11:6443\n`;
  writeFileSync(join(root, "etc/kubernetes/kubelet.kubeconfig"), before, { mode: 0o600 });

  for (const step of ["reissue", "drop"] as const) {
    const refused = await to(step);
    assert.equal(refused.code, 6, told(refused));
    assert.match(
      told(refused),
      step === "drop" ? /other keys of the cluster/ : /is at the step reissue of kubernetes-ca, reissue of etcd-ca/,
    );
  }
  const trust = await to("trust");
  assert.equal(trust.code, 0, told(trust));
  const after = before.replace(/certificate-authority-data: .*/, "certificate-authority: /etc/kubernetes/pki/ca.pem");
  assert.equal(kubeconfig(), after);
  const back = await installer("rollback", "--root", root, "--yes");
  assert.equal(back.code, 0, told(back));
  assert.equal(kubeconfig(), before, "as the kubelet wrote it");
  assert.equal((await to("trust")).code, 0);
  assert.equal((await to("drop")).code, 6);

  assert.equal((await to("reissue")).code, 0);
  assert.equal((await to("first")).code, 6, "nor back over a step");
  const audited = await installer("audit", "--root", root);
  assert.doesNotMatch(told(audited), /kubelet-client|kubelet\.kubeconfig/, "a certificate of the old CA still holds");
});

test("the last step waits for the kubelet's own certificate, and is drift for one that was left", async () => {
  const refused = await to("drop");
  assert.equal(refused.code, 6, told(refused));
  assert.match(told(refused), /the kubelet still uses a certificate of the CA that this bundle drops/);
  await kubeletCertificate(pkis.reissue);
  const done = await to("drop");
  assert.equal(done.code, 0, told(done));
  assert.doesNotMatch(told(await installer("audit", "--root", root)), /kubelet-client|kubelet\.kubeconfig/);
  await kubeletCertificate(pkis.first);
  assert.match(
    told(await installer("audit", "--root", root)),
    /kubelet-client-current\.pem is not signed by the cluster's CA/,
  );
});
