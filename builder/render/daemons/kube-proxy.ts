/** Flags of kube-proxy: from 1.11 on everything else is in its configuration file. */
import { always, type FlagRow, since, until } from "../flags.ts";

export const proxyFlags: readonly FlagRow[] = [
  until("1.6", "bind-address", (c) => c.node.ip),
  until("1.6", "hostname-override", (c) => c.node.hostname),
  until("1.6", "cluster-cidr", (c) => c.topology.network.pods),
  until("1.6", "proxy-mode", (c) => c.topology.network.proxyMode),
  until("1.6", "kubeconfig", (c) => `${c.paths.config}/kube-proxy.kubeconfig`),
  since("1.11", "config", (c) => `${c.paths.config}/kube-proxy.yaml`),
  always("v", "2"),
];
