/** Flags of the kubelet. */
import { config, neededImage, type NodeContext, pem, runsDocker } from "../context.ts";
import { always, between, type FlagRow, since, until } from "../rows.ts";
import { taintsOf } from "./taints.ts";

const usesCni = (context: NodeContext): boolean => context.topology.network.plugin !== "flannel-etcd";
const withDocker = (value: string) => (context: NodeContext) =>
  runsDocker(context) && usesCni(context) ? value : null;
const withContainerd = (value: string) => (context: NodeContext) => (runsDocker(context) ? null : value);
const bootstrap = config("kubelet-bootstrap.kubeconfig");
const joined = (words: readonly string[]): string | null => (words.length === 0 ? null : words.join(","));

export const kubeletFlags: readonly FlagRow[] = [
  until("1.11", "address", (c) => c.node.ip),
  until("1.11", "experimental-bootstrap-kubeconfig", bootstrap),
  until("1.11", "require-kubeconfig", "true"),
  since("1.11", "bootstrap-kubeconfig", bootstrap),
  always("kubeconfig", config("kubelet.kubeconfig")),
  always("cert-dir", (c) => c.paths.kubeletPki),
  since("1.11", "config", config("kubelet-config.yaml")),
  always("hostname-override", (c) => c.node.hostname),
  always("node-ip", (c) => c.node.ip),
  always("root-dir", (c) => c.paths.kubelet),
  always("node-labels", (c) => joined(Object.entries(c.node.labels).map(([key, value]) => `${key}=${value}`))),
  // Later the configuration file has them.
  until("1.23", "register-with-taints", (c) =>
    joined(taintsOf(c).map(({ key, value, effect }) => `${key}=${value}:${effect}`)),
  ),
  // It keeps the image from being collected, which runtimes of later releases do; 1.35 refuses to start with it.
  until("1.27", "pod-infra-container-image", (c) => neededImage(c, "pause")),
  until("1.11", "cluster-dns", (c) => c.topology.network.dnsService),
  until("1.11", "resolv-conf", config("resolv.conf")),
  until("1.11", "cluster-domain", (c) => c.topology.network.domain),
  until("1.11", "hairpin-mode", (c) => (usesCni(c) ? null : "promiscuous-bridge")),
  until("1.15", "allow-privileged", "true"),
  until("1.11", "serialize-image-pulls", "false"),
  until("1.11", "image-gc-high-threshold", "100"),
  // The guides' kubelet answers anyone on 10250, 10255 and 4194; this one asks the API server who may.
  until("1.11", "anonymous-auth", "false"),
  until("1.11", "client-ca-file", pem("pki", "ca")),
  until("1.11", "authentication-token-webhook", "true"),
  until("1.11", "authorization-mode", "Webhook"),
  until("1.11", "read-only-port", "0"),
  until("1.11", "cadvisor-port", "0"),
  until("1.24", "network-plugin", withDocker("cni")),
  until("1.24", "cni-conf-dir", (c) => withDocker(c.paths.cniConfig)(c)),
  until("1.24", "cni-bin-dir", (c) => withDocker(c.paths.cniBinaries)(c)),
  between("1.16", "1.24", "container-runtime", withContainerd("remote")),
  // Later in the configuration file.
  between("1.16", "1.27", "container-runtime-endpoint", withContainerd("unix:///run/containerd/containerd.sock")),
  always("v", "2"),
];
