/** A small cluster's bundles before a rotation and at each of its steps, with what a host has of keys and nothing else. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rotationSteps } from "#bundle";
import { generateKey, makeCertificate, privatePem } from "#x509";
import { authorityOf, type Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { rotatableOf, rotate } from "../../builder/pki/rotation.ts";
import { openVault } from "../../builder/pki/vault.ts";
import { fixtureCluster, renderFixture } from "./fixture-cluster.ts";
import { type FileWish, nodeFiles, type NodeBundleOptions, writeNodeBundle } from "./node-bundle.ts";
import { contentOf, filesOf } from "./placed-node.ts";

const clusterYaml = `
name: sample
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
certificates: { algorithm: ECDSA-P256 }
`;
const names = ["first", ...rotationSteps] as const;
export type RotationBundle = (typeof names)[number];

export interface Rotated {
  readonly bundles: Readonly<Record<RotationBundle, string>>;
  readonly pkis: Readonly<Record<RotationBundle, Pki>>;
}

/** What is of keys in a node of the cluster as it is rendered now. */
async function bundleOf(path: string, pki: Pki, options: NodeBundleOptions): Promise<string> {
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
  return writeNodeBundle(path, {
    ...options,
    files: [...nodeFiles, ...files],
    edit(index) {
      for (const file of index.files) file.origin = origins.get(file.path) ?? file.origin;
      index.written = rendered.written.filter(({ by }) => by === "kubelet");
      if (rendered.keys !== undefined) index.keys = rendered.keys;
    },
  });
}

/** Tars and the PKI in `folder`. */
export async function rotatedBundles(folder: string, options: NodeBundleOptions = {}): Promise<Rotated> {
  const { topology } = await fixtureCluster(clusterYaml);
  const vault = await openVault(join(folder, "sample.pki"));
  const made: [string, Pki, string][] = [];
  for (const name of names) {
    if (name !== "first") await rotate(vault, topology, rotatableOf(topology), name);
    const pki = await openPki(vault.dir, topology, new Date());
    made.push([name, pki, await bundleOf(join(folder, `${name}.tar`), pki, options)]);
  }
  const pkis = Object.fromEntries(made.map(([name, pki]) => [name, pki])) as Rotated["pkis"];
  return { pkis, bundles: Object.fromEntries(made.map(([name, , path]) => [name, path])) as Rotated["bundles"] };
}

/** As a kubelet is issued it. */
export async function kubeletCertificate(root: string, pki: Pki): Promise<void> {
  const ca = authorityOf(pki, "kubernetes");
  const key = await generateKey("ECDSA-P256");
  const certificate = makeCertificate(
    {
      ...{ subject: { commonName: "system:node:n1", organization: "system:nodes" }, publicKey: createPublicKey(key) },
      ...{ notBefore: ca.notBefore, notAfter: ca.notAfter, issuer: ca, usages: ["client"], sans: [] },
    },
    createPrivateKey(ca.key),
  );
  mkdirSync(join(root, "var/lib/kubelet/pki"), { recursive: true });
  writeFileSync(join(root, "var/lib/kubelet/pki", "kubelet-client-current.pem"), certificate + privatePem(key), {
    mode: 0o600,
  });
}
