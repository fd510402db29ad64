/** Certificates and keys as files of nodes, and the index's list of certificates. */
import type { CertificateEntry, Role } from "#bundle";
import { has, isAtLeast, kubernetes, type NodeContext, runsFlanneld } from "../components/context.ts";
import { type AuthorityName, authorityOf, type IssuedPair, type Leaf } from "../components/credentials.ts";
import { signingPath, trustedPem } from "../components/trust.ts";
import type { Piece } from "../components/component.ts";
import { certificates, type CertificateSpec } from "../pki/certificates.ts";
import { embeddingPaths } from "./kubeconfigs.ts";

/** Every certificate and key file of a node. */
export function pkiPieces(context: NodeContext): Piece[] {
  const leaves = leavesOf(context).flatMap(({ leaf, spec: { folder, joined, roles } }) => {
    if (folder === null) return [];
    const stem = `${context.paths[folder]}/${leaf.name}`;
    const name = `${leaf.node}/${leaf.name}`;
    if (joined === true) return [secret(`${stem}.pem`, leaf.certificate + leaf.chain + leaf.key, roles, name)];
    return [
      open(`${stem}.pem`, leaf.certificate + leaf.chain, roles, name),
      secret(`${stem}-key.pem`, leaf.key, roles, name),
    ];
  });
  return [...authorityPieces(context), ...leaves, ...serviceAccountPieces(context)];
}

/** Every certificate of a node with where it lies: as a file, or inside which kubeconfigs. */
export function certificateEntries(context: NodeContext): CertificateEntry[] {
  const issued = leavesOf(context).flatMap(({ leaf, spec: { folder } }) => [
    ...(folder === null ? [] : [entry(context, `${context.paths[folder]}/${leaf.name}.pem`, leaf)]),
    ...embeddingPaths(context, leaf.name).map((path) => entry(context, path, leaf)),
  ]);
  const cas = authorityPlaces(context).flatMap(({ path, name }) =>
    authorityOf(context.pki, name).trusted.map((ca) => entry(context, path, ca)),
  );
  return [...cas, ...issued];
}

function entry(context: NodeContext, path: string, issued: IssuedPair): CertificateEntry {
  return {
    path,
    node: context.node.name,
    subject: issued.subject,
    sans: [...issued.sans],
    notBefore: issued.notBefore.toISOString(),
    notAfter: issued.notAfter.toISOString(),
  };
}

function leavesOf(context: NodeContext): { leaf: Leaf; spec: CertificateSpec }[] {
  return context.pki.leaves
    .filter((leaf) => leaf.node === context.node.name)
    .map((leaf) => {
      const spec = certificates.find(({ name, when }) => name === leaf.name && (when?.(context) ?? true));
      if (spec === undefined) throw new Error(`nobody gets the certificate ${leaf.name}`);
      return { leaf, spec };
    });
}

/** Public certificates of CAs, each only for roles that check something with it. */
function authorityPlaces(context: NodeContext): { path: string; name: AuthorityName; roles: Role[] }[] {
  const { pki, etcdPki } = context.paths;
  const also = (condition: boolean, role: Role): Role[] => (condition ? [role] : []);
  const daemons = kubernetes(context);
  const ofEtcd: Role[] = ["etcd", ...also(daemons, "master"), ...also(runsFlanneld(context), "worker")];
  const places: { path: string; name: AuthorityName; roles: Role[] }[] = [
    { path: `${pki}/ca.pem`, name: "kubernetes", roles: ["master", ...also(daemons, "worker")] },
    { path: `${etcdPki}/ca.pem`, name: "etcd", roles: ofEtcd },
    { path: `${pki}/front-proxy-ca.pem`, name: "front-proxy", roles: also(isAtLeast(context, "1.11"), "master") },
  ];
  return places.filter(({ roles }) => roles.some((role) => has(context, role)));
}

function authorityPieces(context: NodeContext): Piece[] {
  const certificates = authorityPlaces(context).map(({ path, name, roles }) =>
    open(path, trustedPem(context, name), roles, `${name} CA`),
  );
  // Only the controller-manager signs, and only for kubelets: no other CA's key ever leaves the PKI directory.
  if (!has(context, "master") || !kubernetes(context)) return certificates;
  const { key, certificate } = authorityOf(context.pki, "kubernetes");
  const signing = signingPath(context);
  const named = certificates.some(({ path }) => path === signing);
  return [
    ...certificates,
    secret(`${context.paths.pki}/ca-key.pem`, key, ["master"], "kubernetes CA"),
    ...(named ? [] : [open(signing, certificate, ["master"], "kubernetes CA")]),
  ];
}

function serviceAccountPieces(context: NodeContext): Piece[] {
  if (!has(context, "master") || !kubernetes(context)) return [];
  const { privateKey, publicKeys } = context.pki.serviceAccount;
  return [
    secret(`${context.paths.pki}/sa.key`, privateKey, ["master"], "service accounts"),
    open(`${context.paths.pki}/sa.pub`, publicKeys.join(""), ["master"], "service accounts"),
  ];
}

function open(path: string, content: string, roles: readonly Role[], name: string): Piece {
  return { path, mode: "0644", content, sensitive: false, roles, origin: { from: "pki", name } };
}

function secret(path: string, content: string, roles: readonly Role[], name: string): Piece {
  return { path, mode: "0600", content, sensitive: true, roles, origin: { from: "pki", name } };
}
