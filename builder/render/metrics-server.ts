/** What metrics-server is given, by its version. */
import { hasMasterOutside, metricsHostPort } from "../config/topology.ts";
import { isAtLeast, neededImage, type NodeContext } from "./context.ts";
import { trustedPem } from "./trust.ts";

/** Each version of metrics-server has other flags for the same: check the kubelets' certificates, ask them by address. */
export function metricsServer(context: NodeContext): Record<string, unknown> {
  const hostNetwork = hasMasterOutside(context.topology);
  const version = (first: string): boolean => isAtLeast(context, first, "metrics-server");
  const shared = {
    image: neededImage(context, "metrics-server"),
    authority: trustedPem(context, "kubernetes").trimEnd().split("\n"),
    hostNetwork,
    hardened: version("0.4"),
  };
  if (!version("0.3")) {
    // It takes the CA of its service account, which is the kubelets' as well.
    const source = "--source=kubernetes.summary_api:''?kubeletHttps=true&kubeletPort=10250";
    const port = hostNetwork ? metricsHostPort : 443;
    return { ...shared, command: ["/metrics-server", source, `--secure-port=${port}`], args: [], port };
  }
  const port = hostNetwork || !version("0.4") ? metricsHostPort : 10_250;
  const args = [
    "--cert-dir=/tmp",
    `--secure-port=${port}`,
    "--kubelet-preferred-address-types=InternalIP,Hostname",
    "--kubelet-certificate-authority=/etc/kubelet-ca/ca.pem",
    ...(version("0.4") ? ["--metric-resolution=15s"] : []),
  ];
  return { ...shared, command: [], args, port };
}
