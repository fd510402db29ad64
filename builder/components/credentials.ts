/** What a cluster's PKI (builder/pki) gives to components: CAs, certificates, keys and tokens. */
import type { BundleIndex } from "#bundle";
import type { TopologyNode } from "../config/topology.ts";

/** A CA: what it signs opens no door of the others. */
export type AuthorityName = "kubernetes" | "etcd" | "front-proxy";

export interface IssuedPair {
  /** PEM, of the certificate alone. */
  readonly certificate: string;
  /** PEM of the CAs above it, nearest first, where it is an intermediate; else empty. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  /** `CN=etcd, O=k8s` */
  readonly subject: string;
  readonly sans: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate with its private key, both PEM. */
export interface Authority extends IssuedPair {
  readonly name: AuthorityName;
  /** Every generation that nodes trust, this one first: as `certificate` where none is being rotated. */
  readonly trusted: readonly IssuedPair[];
  /** PEM: this CA, signed by the one before it, while nodes trust both. */
  readonly crossed?: string;
}

export interface Leaf extends IssuedPair {
  readonly name: string;
  /** The node whose own it is. */
  readonly node: string;
  readonly authority: AuthorityName;
}

/** `id.secret`, with which a kubelet asks for its first certificate. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly expires: Date;
}

export interface Pki {
  readonly authorities: readonly Authority[];
  readonly leaves: readonly Leaf[];
  /** PEM; signs service-account tokens and nothing else. Of the public keys all are taken; the first is its own. */
  readonly serviceAccount: { readonly privateKey: string; readonly publicKeys: readonly string[] };
  /** Base64 of 32 bytes; all are read, the first one writes. */
  readonly encryptionKeys: readonly { readonly name: string; readonly key: string }[];
  /** The index's `keys`: undefined where nothing was ever rotated. */
  readonly keys?: NonNullable<BundleIndex["keys"]>;
  /** By node with the worker role. */
  readonly tokens: ReadonlyMap<string, BootstrapToken>;
  /** What was reissued and what is near its end, one line each, for people. */
  readonly notes: readonly string[];
}

/** A CA of an opened PKI. */
export function authorityOf(pki: Pki, name: AuthorityName): Authority {
  const found = pki.authorities.find((authority) => authority.name === name);
  if (found === undefined) throw new Error(`this cluster has no ${name} CA`);
  return found;
}

/** A node's own leaf of an opened PKI. */
export function leafOf(pki: Pki, node: string, name: string): Leaf {
  const found = pki.leaves.find((leaf) => leaf.node === node && leaf.name === name);
  if (found === undefined) throw new Error(`${node} has no certificate ${name}`);
  return found;
}

/** With which a node's kubelet asks for its first certificate. */
export function tokenOf(pki: Pki, node: string): BootstrapToken {
  const token = pki.tokens.get(node);
  if (token === undefined) throw new Error(`${node} has no bootstrap token`);
  return token;
}

/** Names and addresses in the certificate of what serves on its own node only. */
export function namesOfNode(node: TopologyNode): readonly string[] {
  return ["127.0.0.1", node.ip, "localhost", node.name];
}
