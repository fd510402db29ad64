/** etcd: TLS for clients and peers, and client certificates demanded, in every generation. */
import { hostPort } from "#formats/address";
import { bin, journal, script, withinQuorum } from "../check.ts";
import type { Component, UnitRow } from "../component.ts";
import { etcdApiOfFlannel, type NodeContext, pem, runsFlanneld } from "../context.ts";
import { namesOfNode } from "../credentials.ts";
import { always, between, type FlagRow, since } from "../rows.ts";

const own = (c: NodeContext, port: number): string => `https://${hostPort(c.node.ip, port)}`;

const flags: readonly FlagRow[] = [
  always("name", (c) => c.node.name),
  always("data-dir", (c) => c.topology.etcd.dataDir),
  always("wal-dir", (c) => c.topology.etcd.walDir),
  always("cert-file", pem("etcdPki", "etcd")),
  always("key-file", pem("etcdPki", "etcd-key")),
  always("trusted-ca-file", pem("etcdPki", "ca")),
  always("client-cert-auth", "true"),
  always("peer-cert-file", pem("etcdPki", "etcd-peer")),
  always("peer-key-file", pem("etcdPki", "etcd-peer-key")),
  always("peer-trusted-ca-file", pem("etcdPki", "ca")),
  always("peer-client-cert-auth", "true"),
  always("listen-peer-urls", (c) => own(c, 2380)),
  always("initial-advertise-peer-urls", (c) => own(c, 2380)),
  always("listen-client-urls", (c) => `${own(c, 2379)},https://127.0.0.1:2379`),
  always("advertise-client-urls", (c) => own(c, 2379)),
  always("initial-cluster-token", (c) => c.topology.etcd.token),
  always("initial-cluster", (c) => c.topology.etcd.initialCluster.join(",")),
  always("initial-cluster-state", "new"),
  since("3.4", "auto-compaction-mode", "periodic"),
  since("3.4", "auto-compaction-retention", "1"),
  since("3.4", "max-request-bytes", "33554432"),
  since("3.4", "quota-backend-bytes", "6442450944"),
  since("3.4", "heartbeat-interval", "250"),
  since("3.4", "election-timeout", "2000"),
  // Health and metrics without a certificate, on loopback only.
  since("3.3", "listen-metrics-urls", "http://127.0.0.1:2381"),
  // flannel before 0.18 keeps its subnets in the v2 store, which etcd 3.4 and 3.5 no longer open by themselves.
  between("3.4", "3.6", "enable-v2", (c) => (runsFlanneld(c) && etcdApiOfFlannel(c) === "2" ? "true" : null)),
];

const version3 = { ETCDCTL_API: "3" };
export const ownEndpoint = ["https://127.0.0.1:2379"];

/** etcdctl with the member's own certificate; each of its APIs has other flags for the same. */
export function etcdctl(c: NodeContext, endpoints: readonly string[], api = "3"): string[] {
  const [ca, cert, key] = api === "2" ? ["ca-file", "cert-file", "key-file"] : ["cacert", "cert", "key"];
  return [
    bin(c, "etcdctl"),
    `--endpoints=${endpoints.join(",")}`,
    `--${ca}=${c.paths.etcdPki}/ca.pem`,
    `--${cert}=${c.paths.etcdPki}/etcd.pem`,
    `--${key}=${c.paths.etcdPki}/etcd-key.pem`,
  ];
}

const certificate = { authority: "etcd", folder: "etcdPki", usages: ["server", "client"], sans: namesOfNode } as const;

const snapshot = (unit: string, start: UnitRow["start"]): UnitRow => ({
  name: `kubeferry-snapshot.${unit}`,
  start,
  when: (c) => c.topology.cluster.etcd.snapshots !== undefined,
  data: (c) => ({ ...c.topology.cluster.etcd.snapshots }),
});

export const etcd: Component = {
  name: "etcd",
  roles: ["etcd"],
  units: [{ name: "etcd.service", start: 10, behind: "etcd", flags }, snapshot("service", null), snapshot("timer", 90)],
  certificates: [
    { name: "etcd", ...certificate },
    { name: "etcd-peer", ...certificate },
  ],
  directories: ({ topology: { etcd }, paths }) => [
    ...[etcd.dataDir, ...(etcd.walDir === null ? [] : [etcd.walDir])].map((path) => ({ path, mode: "0700" })),
    { path: paths.etcdPki, mode: "0755" },
  ],
  host: () => ({ ports: [{ port: "2379-2380", protocol: "tcp" }] }),
  checks: [
    {
      name: "etcd is healthy",
      unit: "etcd.service",
      argv: (c) => [...etcdctl(c, ownEndpoint), "endpoint", "health"],
      environment: () => version3,
      matches: "is healthy: successfully committed proposal",
      timeoutSeconds: 60,
      severity: withinQuorum,
    },
    {
      name: "etcd has one leader over all members",
      argv: (c) => script(["etcd/one-leader.sh"], ...etcdctl(c, c.topology.etcd.clientUrls)),
      environment: () => version3,
      severity: withinQuorum,
      hint: `on the member that does not answer: ${journal("etcd")}`,
    },
  ],
};
