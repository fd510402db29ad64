/** metrics-server, which serves the metrics API. */
import { hasMasterOutside, metricsHostPort } from "../../config/topology.ts";
import { ask, available, ofCluster } from "../check.ts";
import type { Component } from "../component.ts";
import { addon, isAtLeast, neededImage, type NodeContext } from "../context.ts";
import { trustedPem } from "../trust.ts";

export const metricsServer: Component = {
  name: "metrics-server",
  roles: ["worker"],
  when: addon("metrics-server"),
  host: (topology) =>
    hasMasterOutside(topology) ? { ports: [{ port: String(metricsHostPort), protocol: "tcp" }] } : {},
  objects: [{ name: "metrics-server.yaml", data: settings }],
  checks: [
    available("deployment", "metrics-server"),
    {
      ...ofCluster,
      name: "the metrics API answers",
      at: 95,
      argv: (c) => ask(c, "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"),
      matches: "NodeMetricsList",
      hint: "kubectl describe apiservice v1beta1.metrics.k8s.io; ./install approve",
    },
  ],
};

/** Each version of metrics-server has other flags for the same: check the kubelets' certificates, ask them by address. */
function settings(context: NodeContext): Record<string, unknown> {
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
