/** Flags of etcd: TLS for clients and peers, and client certificates demanded, in every generation. */
import { etcdApiOfFlannel, type NodeContext, runsFlanneld } from "../context.ts";
import type { FlagRow } from "../flags.ts";
import { always, between, since } from "../rows.ts";

const pem = (name: string) => (context: NodeContext) => `${context.paths.etcdPki}/${name}.pem`;

export const etcdFlags: readonly FlagRow[] = [
  always("name", (c) => c.node.name),
  always("data-dir", (c) => c.topology.etcd.dataDir),
  always("wal-dir", (c) => c.topology.etcd.walDir),
  always("cert-file", pem("etcd")),
  always("key-file", pem("etcd-key")),
  always("trusted-ca-file", pem("ca")),
  always("client-cert-auth", "true"),
  always("peer-cert-file", pem("etcd-peer")),
  always("peer-key-file", pem("etcd-peer-key")),
  always("peer-trusted-ca-file", pem("ca")),
  always("peer-client-cert-auth", "true"),
  always("listen-peer-urls", (c) => `https://${c.node.ip}:2380`),
  always("initial-advertise-peer-urls", (c) => `https://${c.node.ip}:2380`),
  always("listen-client-urls", (c) => `https://${c.node.ip}:2379,https://127.0.0.1:2379`),
  always("advertise-client-urls", (c) => `https://${c.node.ip}:2379`),
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
