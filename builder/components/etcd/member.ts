/** Who etcd is, by its own reckoning: so that a node knows data of its own from those of another cluster. */
import { createHash } from "node:crypto";
import { hostPort } from "#formats/address";
import type { Topology, TopologyNode } from "../../config/topology.ts";

/** The ID of a member of a new cluster, 16 hex digits: etcd takes it from the member's peer URLs and the cluster's token. */
export function etcdMember({ cluster, etcd }: Topology, node: TopologyNode): string {
  const flags = cluster.flags["etcd"] ?? {};
  const urls = flags["initial-advertise-peer-urls"] ?? `https://${hostPort(node.ip, 2380)}`;
  const token = flags["initial-cluster-token"] ?? etcd.token;
  const text = urls.split(",").toSorted().join("") + token;
  return createHash("sha1").update(text).digest("hex").slice(0, 16);
}
