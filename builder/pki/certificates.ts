/**
 * Every certificate of a cluster, as one table: its CA, subject, SANs, usages and who gets it.
 * A node has leaves of its own, so that a stolen node reveals that node's keys and no other's.
 */
import type { Role } from "#bundle";
import type { Subject, Usage } from "#x509";
import type { Topology, TopologyNode } from "../config/topology.ts";
import { isSince } from "#formats/version";

/** Three CAs for every generation: a certificate for the API's clients opens neither etcd nor the aggregator. */
export const authorities = {
  kubernetes: "kubernetes-ca",
  etcd: "etcd-ca",
  "front-proxy": "front-proxy-ca",
} as const;
export type AuthorityName = keyof typeof authorities;

/** Where the PKI directory keeps a CA, and the key of one whose certificate is being signed elsewhere. */
export const authorityFile = (name: AuthorityName): string => `${authorities[name]}.pem`;
export const requestedKey = (name: AuthorityName): string => `${authorities[name]}.key`;

/** The second generation of `kubernetes-ca` is `kubernetes-ca-2`: whoever has both finds the one that signed. */
export function authoritySubject(name: AuthorityName, generation: number, { cluster }: Topology): Subject {
  const commonName = generation === 1 ? authorities[name] : `${authorities[name]}-${generation}`;
  return { commonName, organization: cluster.name };
}

export interface CertificateSpec {
  /** File stem in the PKI directory and, where the certificate is a file, on the node. */
  readonly name: string;
  readonly authority: AuthorityName;
  readonly commonName: (node: TopologyNode) => string;
  readonly organization?: string;
  readonly usages: readonly Usage[];
  readonly sans: (node: TopologyNode, topology: Topology) => readonly string[];
  /** Nodes that take one of these roles get a leaf of their own. */
  readonly roles: readonly Role[];
  readonly when?: (topology: Topology) => boolean;
}

const none = (): readonly string[] => [];
const own = (node: TopologyNode): readonly string[] => ["127.0.0.1", node.ip, "localhost", node.name];
const hasDaemons = (topology: Topology): boolean => topology.generation.daemons;
/** From 1.11 on controller-manager and scheduler talk TLS; in 1.6 they use the insecure port on loopback. */
const hasSecureControllers = ({ release }: Topology): boolean =>
  release.kubernetes !== null && isSince(release.kubernetes, "1.11");

export const certificates: readonly CertificateSpec[] = [
  {
    name: "etcd",
    authority: "etcd",
    commonName: () => "etcd",
    usages: ["server", "client"],
    sans: own,
    roles: ["etcd"],
  },
  {
    name: "etcd-peer",
    authority: "etcd",
    commonName: () => "etcd-peer",
    usages: ["server", "client"],
    sans: own,
    roles: ["etcd"],
  },
  {
    name: "kube-apiserver-etcd-client",
    authority: "etcd",
    commonName: () => "kube-apiserver-etcd-client",
    usages: ["client"],
    sans: none,
    roles: ["master"],
    when: hasDaemons,
  },
  {
    name: "flanneld",
    authority: "etcd",
    commonName: () => "flanneld",
    usages: ["client"],
    sans: none,
    roles: ["worker"],
    when: (topology) => hasDaemons(topology) && topology.network.plugin === "flannel-etcd",
  },
  {
    name: "kube-apiserver",
    authority: "kubernetes",
    commonName: () => "kube-apiserver",
    usages: ["server"],
    sans: (_node, topology) => topology.api.sans,
    roles: ["master"],
    when: hasDaemons,
  },
  {
    name: "kube-apiserver-kubelet-client",
    authority: "kubernetes",
    commonName: () => "kube-apiserver-kubelet-client",
    usages: ["client"],
    sans: none,
    roles: ["master"],
    when: hasDaemons,
  },
  {
    name: "admin",
    authority: "kubernetes",
    commonName: () => "admin",
    organization: "system:masters",
    usages: ["client"],
    sans: none,
    roles: ["master"],
  },
  {
    name: "kube-controller-manager",
    authority: "kubernetes",
    commonName: () => "system:kube-controller-manager",
    organization: "system:kube-controller-manager",
    usages: ["server", "client"],
    sans: own,
    roles: ["master"],
    when: hasSecureControllers,
  },
  {
    name: "kube-scheduler",
    authority: "kubernetes",
    commonName: () => "system:kube-scheduler",
    organization: "system:kube-scheduler",
    usages: ["server", "client"],
    sans: own,
    roles: ["master"],
    when: hasSecureControllers,
  },
  {
    name: "kube-proxy",
    authority: "kubernetes",
    commonName: () => "system:kube-proxy",
    organization: "system:node-proxier",
    usages: ["client"],
    sans: none,
    roles: ["worker"],
    when: hasDaemons,
  },
  {
    name: "front-proxy-client",
    authority: "front-proxy",
    commonName: () => "front-proxy-client",
    usages: ["client"],
    sans: none,
    roles: ["master"],
    when: hasSecureControllers,
  },
];

/** A leaf that a topology wants. */
export interface WantedLeaf {
  readonly spec: CertificateSpec;
  readonly node: TopologyNode;
  readonly sans: readonly string[];
}

/** Every leaf that a topology wants, by node and then in the table's order. */
export function wantedLeaves(topology: Topology): WantedLeaf[] {
  return topology.nodes.flatMap((node) =>
    certificates
      .filter((spec) => spec.roles.some((role) => node.roles.includes(role)) && (spec.when?.(topology) ?? true))
      .map((spec) => ({ spec, node, sans: spec.sans(node, topology) })),
  );
}

/** The CAs that a topology needs: etcd's only with members, the aggregator's only where it is used. */
export function wantedAuthorities(topology: Topology): AuthorityName[] {
  const needed = new Set<AuthorityName>(wantedLeaves(topology).map((leaf) => leaf.spec.authority));
  if (topology.masters.length > 0 || (hasDaemons(topology) && topology.workers.length > 0)) needed.add("kubernetes");
  return (Object.keys(authorities) as AuthorityName[]).filter((name) => needed.has(name));
}
