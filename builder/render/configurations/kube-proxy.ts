/** kube-proxy's configuration file. */
import { always } from "../rows.ts";
import type { FieldRow } from "./configuration.ts";

export const proxyFields: readonly FieldRow[] = [
  always("kind", "KubeProxyConfiguration"),
  always("apiVersion", "kubeproxy.config.k8s.io/v1alpha1"),
  always("bindAddress", (c) => c.node.ip),
  always("clientConnection", (c) => ({ kubeconfig: `${c.paths.config}/kube-proxy.kubeconfig` })),
  always("clusterCIDR", (c) => c.topology.network.pods),
  always("hostnameOverride", (c) => c.node.hostname),
  always("healthzBindAddress", "127.0.0.1:10256"),
  always("metricsBindAddress", "127.0.0.1:10249"),
  always("mode", (c) => c.topology.network.proxyMode),
  // 0 leaves the kernel's values alone: the host entry has them, so that there is one master of each and undo knows it.
  always("conntrack", { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: "0s", tcpEstablishedTimeout: "0s" }),
  always("ipvs", (c) => (c.topology.network.proxyMode === "ipvs" ? { scheduler: "rr" } : null)),
];
