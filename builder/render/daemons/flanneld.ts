/** Flags of flanneld as a service of the host, with its subnets in etcd. */
import type { FlagRow } from "../flags.ts";
import { always } from "../rows.ts";

/** Where flannel keeps the cluster's network and each node's subnet. */
export const flannelPrefix = "/kubernetes/network";

export const flanneldFlags: readonly FlagRow[] = [
  always("etcd-cafile", (c) => `${c.paths.etcdPki}/ca.pem`),
  always("etcd-certfile", (c) => `${c.paths.etcdPki}/flanneld.pem`),
  always("etcd-keyfile", (c) => `${c.paths.etcdPki}/flanneld-key.pem`),
  always("etcd-endpoints", (c) => c.topology.etcd.clientUrls.join(",")),
  always("etcd-prefix", flannelPrefix),
  // flannel takes an interface's address as well as its name, and the address is what cluster.yaml has.
  always("iface", (c) => c.node.ip),
  always("ip-masq", "true"),
];
