/** The kubelet's configuration file. */
import { config, isAtLeast, type NodeContext, runsDocker } from "../context.ts";
import { hardened, strongCiphers } from "../profile.ts";
import { always, between, type FieldRow, since } from "../rows.ts";
import { taintsOf } from "./taints.ts";

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
