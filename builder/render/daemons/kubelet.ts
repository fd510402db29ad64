/** Flags of the kubelet. */
import { neededImage, type NodeContext } from "../context.ts";
import { taintsOf } from "../data.ts";
import { always, between, type FlagRow, since, until } from "../flags.ts";

const usesCni = (context: NodeContext): boolean => context.topology.network.plugin !== "flannel-etcd";
const withDocker = (value: string) => (context: NodeContext) =>
  context.topology.cluster.runtime === "docker" && usesCni(context) ? value : null;
const withContainerd = (value: string) => (context: NodeContext) =>
  context.topology.cluster.runtime === "containerd" ? value : null;
const bootstrap = (context: NodeContext): string => `${context.paths.config}/kubelet-bootstrap.kubeconfig`;
const joined = (words: readonly string[]): string | null => (words.length === 0 ? null : words.join(","));
const configFile = (context: NodeContext): string =>
  `${context.paths.config}/${context.era === "1.11" ? "kubelet.config.json" : "kubelet-config.yaml"}`;

export const kubeletFlags: readonly FlagRow[] = [
  until("1.6", "address", (c) => c.node.ip),
  until("1.6", "experimental-bootstrap-kubeconfig", bootstrap),
  until("1.6", "require-kubeconfig", "true"),
  since("1.11", "bootstrap-kubeconfig", bootstrap),
  always("kubeconfig", (c) => `${c.paths.config}/kubelet.kubeconfig`),
  always("cert-dir", (c) => c.paths.kubeletPki),
  since("1.11", "config", configFile),
  always("hostname-override", (c) => c.node.hostname),
  since("1.11", "node-ip", (c) => c.node.ip),
  always("root-dir", (c) => c.paths.kubelet),
  always("node-labels", (c) => joined(Object.entries(c.node.labels).map(([key, value]) => `${key}=${value}`))),
  // From 1.23 on the configuration file has them.
  until("1.16", "register-with-taints", (c) =>
    joined(taintsOf(c).map(({ key, value, effect }) => `${key}=${value}:${effect}`)),
  ),
  // The kubelet of 1.35 and later refuses to start with it; containerd's configuration names the image.
  until("1.16", "pod-infra-container-image", (c) => neededImage(c, "pause")),
  until("1.6", "cluster-dns", (c) => c.topology.network.dnsService),
  until("1.6", "cluster-domain", (c) => c.topology.network.domain),
  until("1.6", "hairpin-mode", (c) => (usesCni(c) ? null : "promiscuous-bridge")),
  until("1.11", "allow-privileged", "true"),
  until("1.6", "serialize-image-pulls", "false"),
  // The guides' kubelet answers anyone on 10250, 10255 and 4194; this one asks the API server who may.
  until("1.6", "anonymous-auth", "false"),
  until("1.6", "client-ca-file", (c) => `${c.paths.pki}/ca.pem`),
  until("1.6", "authorization-mode", "Webhook"),
  until("1.6", "read-only-port", "0"),
  until("1.6", "cadvisor-port", "0"),
  until("1.16", "network-plugin", withDocker("cni")),
  until("1.16", "cni-conf-dir", (c) => withDocker(c.paths.cniConfig)(c)),
  until("1.16", "cni-bin-dir", (c) => withDocker(c.paths.cniBinaries)(c)),
  between("1.16", "1.16", "container-runtime", withContainerd("remote")),
  between("1.16", "1.16", "container-runtime-endpoint", withContainerd("unix:///run/containerd/containerd.sock")),
  always("v", "2"),
];
