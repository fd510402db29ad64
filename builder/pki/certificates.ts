/**
 * Every certificate of a cluster, as its components have them: its CA, subject, SANs, usages and who gets it.
 * A node has leaves of its own, so that a stolen node reveals that node's keys and no other's.
 */
import type { Role } from "#bundle";
import type { Subject } from "#x509";
import type { CertificateRow } from "../components/component.ts";
import { type Cluster, kubernetes } from "../components/context.ts";
import type { AuthorityName } from "../components/credentials.ts";
import { components } from "../components/list.ts";
import { isWithin } from "../components/rows.ts";
import type { Topology, TopologyNode } from "../config/topology.ts";

/** Three CAs for every generation: a certificate for the API's clients opens neither etcd nor the aggregator. */
export const authorities = {
  kubernetes: "kubernetes-ca",
  etcd: "etcd-ca",
  "front-proxy": "front-proxy-ca",
} as const satisfies Record<AuthorityName, string>;

/** Where the PKI directory keeps a CA, and the key of one whose certificate is being signed elsewhere. */
export const authorityFile = (name: AuthorityName): string => `${authorities[name]}.pem`;
export const requestedKey = (name: AuthorityName): string => `${authorities[name]}.key`;

/** The second generation of `kubernetes-ca` is `kubernetes-ca-2`: whoever has both finds the one that signed. */
export function authoritySubject(name: AuthorityName, generation: number, { cluster }: Topology): Subject {
  const commonName = generation === 1 ? authorities[name] : `${authorities[name]}-${generation}`;
  return { commonName, organization: cluster.name };
}

export interface CertificateSpec extends CertificateRow {
  readonly commonName: string;
  /** Nodes that take one of these roles get a leaf of their own. */
  readonly roles: readonly Role[];
}

/** By the order of their CAs. */
const order: readonly AuthorityName[] = ["etcd", "kubernetes", "front-proxy"];

export const certificates: readonly CertificateSpec[] = components
  .flatMap(({ certificates = [], roles, ...component }) =>
    certificates.map((row) => ({
      commonName: row.name,
      ...row,
      roles,
      when: (cluster: Cluster) => [component, row].every(({ when }) => when?.(cluster) ?? true),
    })),
  )
  .toSorted((a, b) => order.indexOf(a.authority) - order.indexOf(b.authority));

/** A leaf that a topology wants. */
export interface WantedLeaf {
  readonly spec: CertificateSpec;
  readonly node: TopologyNode;
  readonly organization: string | undefined;
  readonly sans: readonly string[];
}

/** Every leaf that a topology wants, by node and then in the table's order. */
export function wantedLeaves(topology: Topology): WantedLeaf[] {
  return topology.nodes.flatMap((node) =>
    certificates
      .filter(
        (spec) =>
          spec.roles.some((role) => node.roles.includes(role)) &&
          isWithin(spec, topology.release.kubernetes) &&
          (spec.when?.({ topology }) ?? true),
      )
      .map((spec) => {
        const { organization, sans } = spec;
        const of = typeof organization === "function" ? organization(topology) : organization;
        return { spec, node, organization: of, sans: sans?.(node, topology) ?? [] };
      }),
  );
}

/** The CAs that a topology needs: etcd's only with members, the aggregator's only where it is used. */
export function wantedAuthorities(topology: Topology): AuthorityName[] {
  const needed = new Set<AuthorityName>(wantedLeaves(topology).map((leaf) => leaf.spec.authority));
  if (topology.masters.length > 0 || (kubernetes({ topology }) && topology.workers.length > 0))
    needed.add("kubernetes");
  return (Object.keys(authorities) as AuthorityName[]).filter((name) => needed.has(name));
}
