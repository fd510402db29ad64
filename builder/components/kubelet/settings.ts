/** Flags of the kubelet and, from 1.11 on, its configuration file, which takes over one after the other. */
import { type Cluster, config, isAtLeast, neededImage, type NodeContext, pem, runsDocker } from "../context.ts";
import { hardened, strongCiphers } from "../profile.ts";
import { always, between, type FieldRow, type FlagRow, since, until } from "../rows.ts";

/** Key of masters' label and taint. */
export const masterLabel = ({ topology }: Cluster): string =>
  `node-role.kubernetes.io/${topology.generation.masterRole}`;

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** Taints with which a node registers: those of cluster.yaml, and that of a master where others can run the pods. */
function taintsOf({ topology, node }: NodeContext): Taint[] {
  const others = topology.workers.some((worker) => !worker.roles.includes("master"));
  const key = masterLabel({ topology });
  const own = node.roles.includes("master") && others ? [{ key, value: "", effect: "NoSchedule" }] : [];
  const asked = node.taints.map((taint) => {
    const [pair = "", effect = ""] = taint.split(":");
    const [key = "", value = ""] = pair.split("=");
    return { key, value, effect };
  });
  return [...own, ...asked];
}

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
  always("node-ip", (c) => c.node.ips.join()),
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

const registered = (context: NodeContext): unknown => {
  const taints = taintsOf(context).map(({ value, ...taint }) => (value === "" ? taint : { ...taint, value }));
  return taints.length === 0 ? null : taints;
};

/**
 * Whether the kubelet leaves alone the images that the installer has labelled: kubelets do from 1.23 on, where the runtime
 * tells them, which containerd does of a label since 2.0 and docker never.
 */
function keepsPinnedImages(context: NodeContext): boolean {
  return !runsDocker(context) && isAtLeast(context, "1.23") && isAtLeast(context, "2.0", "containerd");
}

export const kubeletFields: readonly FieldRow[] = [
  always("kind", "KubeletConfiguration"),
  always("apiVersion", "kubelet.config.k8s.io/v1beta1"),
  always("address", (c) => c.node.ip),
  always("port", 10250),
  always("readOnlyPort", 0),
  // Before, it is a flag.
  since("1.27", "containerRuntimeEndpoint", "unix:///run/containerd/containerd.sock"),
  always("authentication", (c) => ({
    anonymous: { enabled: false },
    webhook: { enabled: true, cacheTTL: "2m0s" },
    x509: { clientCAFile: `${c.paths.pki}/ca.pem` },
  })),
  always("authorization", {
    mode: "Webhook",
    webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" },
  }),
  always("cgroupDriver", (c) => c.topology.generation.cgroupDriver),
  always("clusterDomain", (c) => c.topology.network.domain),
  always("clusterDNS", (c) => [c.topology.network.dnsService]),
  always("resolvConf", config("resolv.conf")),
  always("healthzBindAddress", "127.0.0.1"),
  always("healthzPort", 10248),
  always("failSwapOn", (c) => c.topology.cluster.host.swap === "off"),
  between("1.16", "1.24", "maxPods", 220),
  always("rotateCertificates", true),
  always("serverTLSBootstrap", true),
  between("1.11", "1.16", "featureGates", {
    RotateKubeletClientCertificate: true,
    RotateKubeletServerCertificate: true,
  }),
  always("serializeImagePulls", false),
  // Behind an air gap nothing brings back what the kubelet collects because the disk is 85 % full.
  always("imageGCHighThresholdPercent", (c) => (keepsPinnedImages(c) ? null : 100)),
  since("1.16", "containerLogMaxSize", "20Mi"),
  since("1.16", "containerLogMaxFiles", 10),
  // Before, they are a flag.
  since("1.23", "registerWithTaints", registered),
  always("protectKernelDefaults", hardened(true)),
  // 0: no event is held back here; the API server's EventRateLimit bounds them.
  always("eventRecordQPS", hardened(0)),
  always("podPidsLimit", hardened(4096)),
  always("tlsCipherSuites", hardened(strongCiphers)),
  // Before, it is behind a feature gate that is off.
  since("1.25", "seccompDefault", hardened(true)),
];
