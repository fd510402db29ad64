/** kube-controller-manager. */
import type { Family } from "#formats/address";
import { nodeMask } from "../../config/node-mask.ts";
import { hasFamily, isDualStack } from "../../config/topology.ts";
import type { Component } from "../component.ts";
import { config, isAtLeast, type NodeContext, pem } from "../context.ts";
import { controller } from "../controller.ts";
import { signingPath } from "../trust.ts";
import { hardened } from "../profile.ts";
import { always, between, type FlagRow, since, until } from "../rows.ts";

const kubeconfig = config("kube-controller-manager.kubeconfig");
/** flannel over the API and host routes take each node's range from the controller; the others keep ranges themselves. */
const allocates = (context: NodeContext): boolean => context.topology.network.plugin === "flannel";
const mask = (family: Family) => (context: NodeContext) =>
  allocates(context) && hasFamily(context.topology, family) ? String(nodeMask[family]) : null;
const inDualStack = (family: Family) => (context: NodeContext) =>
  isDualStack(context.topology) ? mask(family)(context) : null;

const flags: readonly FlagRow[] = [
  until("1.11", "master", "http://127.0.0.1:8080"),
  since("1.11", "kubeconfig", kubeconfig),
  since("1.16", "authentication-kubeconfig", kubeconfig),
  since("1.16", "authorization-kubeconfig", kubeconfig),
  until("1.11", "address", "127.0.0.1"),
  between("1.11", "1.24", "port", "0"),
  since("1.11", "secure-port", (c) => (isAtLeast(c, "1.16") ? "10257" : "10252")),
  since("1.11", "bind-address", "127.0.0.1"),
  always("cluster-name", "kubernetes"),
  always("service-cluster-ip-range", (c) => c.topology.network.services.join()),
  always("allocate-node-cidrs", (c) => String(allocates(c))),
  always("cluster-cidr", (c) => c.topology.network.pods.join()),
  // In dual stack it refuses the flag that does not say of which family; with one family 1.20 refuses those that do.
  always("node-cidr-mask-size", (c) => (isDualStack(c.topology) ? null : (mask("ipv4")(c) ?? mask("ipv6")(c)))),
  since("1.23", "node-cidr-mask-size-ipv4", inDualStack("ipv4")),
  since("1.23", "node-cidr-mask-size-ipv6", inDualStack("ipv6")),
  always("cluster-signing-cert-file", signingPath),
  always("cluster-signing-key-file", pem("pki", "ca-key")),
  between("1.11", "1.19", "experimental-cluster-signing-duration", "8760h"),
  since("1.19", "cluster-signing-duration", "8760h"),
  always("root-ca-file", pem("pki", "ca")),
  always("service-account-private-key-file", (c) => `${c.paths.pki}/sa.key`),
  always("leader-elect", "true"),
  since("1.11", "use-service-account-credentials", "true"),
  since("1.11", "controllers", "*,bootstrapsigner,tokencleaner"),
  since("1.11", "tls-cert-file", pem("pki", "kube-controller-manager")),
  since("1.11", "tls-private-key-file", pem("pki", "kube-controller-manager-key")),
  since("1.16", "client-ca-file", pem("pki", "ca")),
  since("1.16", "requestheader-client-ca-file", pem("pki", "front-proxy-ca")),
  since("1.16", "requestheader-allowed-names", "front-proxy-client"),
  between("1.11", "1.16", "feature-gates", "RotateKubeletServerCertificate=true"),
  since("1.11", "profiling", "false"),
  always("terminated-pod-gc-threshold", hardened("1000")),
  always("v", "2"),
];

export const controllerManager: Component = {
  ...controller("kube-controller-manager", (c, health) =>
    health("controller-manager", isAtLeast(c, "1.16") ? 10_257 : 10_252),
  ),
  units: [{ name: "kube-controller-manager.service", start: 40, flags }],
};
