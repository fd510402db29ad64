/** Flags of kube-proxy: from 1.11 on everything else is in its configuration file. */
import type { FlagRow } from "../flags.ts";
import { always, since, until } from "../rows.ts";

export const proxyFlags: readonly FlagRow[] = [
  until("1.11", "bind-address", (c) => c.node.ip),
  until("1.11", "hostname-override", (c) => c.node.hostname),
  until("1.11", "cluster-cidr", (c) => c.topology.network.pods),
  until("1.11", "proxy-mode", (c) => c.topology.network.proxyMode),
  until("1.11", "kubeconfig", (c) => `${c.paths.config}/kube-proxy.kubeconfig`),
  since("1.11", "config", (c) => `${c.paths.config}/kube-proxy.yaml`),
  always("v", "2"),
];
