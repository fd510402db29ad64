/** Flags of kube-controller-manager. */
import { isAtLeast, type NodeContext } from "../context.ts";
import type { FlagRow } from "../flags.ts";
import { signingPath } from "../trust.ts";
import { hardened } from "../profile.ts";
import { always, between, since, until } from "../rows.ts";

const pem = (name: string) => (context: NodeContext) => `${context.paths.pki}/${name}.pem`;
const kubeconfig = (context: NodeContext): string => `${context.paths.config}/kube-controller-manager.kubeconfig`;
/** flannel over the API and host routes take each node's range from the controller; the others keep ranges themselves. */
const allocates = (context: NodeContext): boolean => context.topology.network.plugin === "flannel";

export const controllerManagerFlags: readonly FlagRow[] = [
  until("1.11", "master", "http://127.0.0.1:8080"),
  since("1.11", "kubeconfig", kubeconfig),
  since("1.16", "authentication-kubeconfig", kubeconfig),
  since("1.16", "authorization-kubeconfig", kubeconfig),
  until("1.11", "address", "127.0.0.1"),
  between("1.11", "1.24", "port", "0"),
  since("1.11", "secure-port", (c) => (isAtLeast(c, "1.16") ? "10257" : "10252")),
  since("1.11", "bind-address", "127.0.0.1"),
  always("cluster-name", "kubernetes"),
  always("service-cluster-ip-range", (c) => c.topology.network.services),
  always("allocate-node-cidrs", (c) => String(allocates(c))),
  always("cluster-cidr", (c) => c.topology.network.pods),
  always("node-cidr-mask-size", (c) => (allocates(c) ? "24" : null)),
  always("cluster-signing-cert-file", signingPath),
  always("cluster-signing-key-file", pem("ca-key")),
  between("1.11", "1.19", "experimental-cluster-signing-duration", "8760h"),
  since("1.19", "cluster-signing-duration", "8760h"),
  always("root-ca-file", pem("ca")),
  always("service-account-private-key-file", (c) => `${c.paths.pki}/sa.key`),
  always("leader-elect", "true"),
  since("1.11", "use-service-account-credentials", "true"),
  since("1.11", "controllers", "*,bootstrapsigner,tokencleaner"),
  since("1.11", "tls-cert-file", pem("kube-controller-manager")),
  since("1.11", "tls-private-key-file", pem("kube-controller-manager-key")),
  since("1.16", "client-ca-file", pem("ca")),
  since("1.16", "requestheader-client-ca-file", pem("front-proxy-ca")),
  since("1.16", "requestheader-allowed-names", "front-proxy-client"),
  between("1.11", "1.16", "feature-gates", "RotateKubeletServerCertificate=true"),
  since("1.11", "profiling", "false"),
  always("terminated-pod-gc-threshold", hardened("1000")),
  always("v", "2"),
];
