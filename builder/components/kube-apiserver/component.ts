/** kube-apiserver, with what it keeps on its node, and the certificates with which it asks etcd, kubelets and aggregated APIs. */
import { apiPort } from "../../config/topology.ts";
import { ask, onEtcd } from "../check.ts";
import type { Component } from "../component.ts";
import { type Cluster, config, isAtLeast, kubernetes, type NodeContext, pem } from "../context.ts";
import { admissionPlugins } from "../pod-security/component.ts";
import { hardened, strongCiphers } from "../profile.ts";
import { always, between, type FlagRow, since, until } from "../rows.ts";

const audits = ({ topology }: Cluster): boolean => topology.cluster.audit;
const encrypts = ({ topology }: Cluster): boolean => topology.cluster.encryptionAtRest;
const audited = (value: string | ((context: NodeContext) => string)) => (context: NodeContext) => {
  if (!audits(context)) return null;
  return typeof value === "string" ? value : value(context);
};
const encrypted = (context: NodeContext): string | null =>
  encrypts(context) ? config("encryption-config.yaml")(context) : null;
const issuer = (context: NodeContext): string => `https://kubernetes.default.svc.${context.topology.network.domain}`;
const oldPlugins = "NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,ResourceQuota";

const flags: readonly FlagRow[] = [
  always("advertise-address", (c) => c.node.ip),
  always("bind-address", (c) => c.node.ip),
  always("secure-port", String(apiPort)),
  // Only controller-manager and scheduler of the same host use it; the guides' 8080 on the network is not taken over.
  until("1.11", "insecure-bind-address", "127.0.0.1"),
  until("1.11", "insecure-port", "8080"),
  // From 1.20 on it is off by itself.
  between("1.11", "1.20", "insecure-port", "0"),
  between("1.20", "1.24", "insecure-port", hardened("0")),
  until("1.11", "admission-control", oldPlugins),
  between("1.11", "1.16", "enable-admission-plugins", oldPlugins.replace("LimitRanger", "NodeRestriction,LimitRanger")),
  since("1.16", "enable-admission-plugins", "NodeRestriction"),
  since(
    "1.16",
    "enable-admission-plugins",
    hardened((c) => ["NodeRestriction", ...admissionPlugins(c)].join(",")),
  ),
  since("1.16", "admission-control-config-file", hardened(config("admission.yaml"))),
  until("1.11", "authorization-mode", "RBAC"),
  since("1.11", "authorization-mode", "Node,RBAC"),
  always("anonymous-auth", "false"),
  until("1.11", "experimental-bootstrap-token-auth", "true"),
  until("1.11", "token-auth-file", config("token.csv")),
  since("1.11", "enable-bootstrap-token-auth", "true"),
  always("service-cluster-ip-range", (c) => c.topology.network.services.join()),
  always("service-node-port-range", (c) => {
    const { first, last } = c.topology.network.nodePorts;
    return `${first}-${last}`;
  }),
  always("tls-cert-file", pem("pki", "kube-apiserver")),
  always("tls-private-key-file", pem("pki", "kube-apiserver-key")),
  always("tls-cipher-suites", hardened(strongCiphers.join(","))),
  always("client-ca-file", pem("pki", "ca")),
  always("service-account-key-file", (c) => `${c.paths.pki}/sa.pub`),
  // Tokens for pods that end by themselves: 1.20 and later do not start without.
  since("1.20", "service-account-signing-key-file", (c) => `${c.paths.pki}/sa.key`),
  since("1.20", "service-account-issuer", issuer),
  // Pods' tokens end after an hour, when they are read anew, and not after a year.
  since("1.21", "service-account-extend-token-expiration", hardened("false")),
  always("etcd-cafile", pem("etcdPki", "ca")),
  always("etcd-certfile", pem("pki", "kube-apiserver-etcd-client")),
  always("etcd-keyfile", pem("pki", "kube-apiserver-etcd-client-key")),
  always("etcd-servers", (c) => c.topology.etcd.clientUrls.join(",")),
  always("kubelet-client-certificate", pem("pki", "kube-apiserver-kubelet-client")),
  always("kubelet-client-key", pem("pki", "kube-apiserver-kubelet-client-key")),
  // Serving certificates are issued and approved from 1.11 on; in 1.6 kubelets sign their own.
  since("1.11", "kubelet-certificate-authority", pem("pki", "ca")),
  always("kubelet-preferred-address-types", "InternalIP,Hostname"),
  between("1.11", "1.16", "experimental-encryption-provider-config", encrypted),
  since("1.16", "encryption-provider-config", encrypted),
  always("allow-privileged", "true"),
  until("1.11", "apiserver-count", (c) => String(c.topology.masters.length)),
  always(
    "audit-log-path",
    audited((c) => `${c.paths.auditLog}/audit.log`),
  ),
  always("audit-log-maxage", audited("30")),
  always("audit-log-maxbackup", audited("3")),
  always("audit-log-maxbackup", hardened("10")),
  always("audit-log-maxsize", audited("100")),
  since("1.11", "audit-policy-file", audited(config("audit-policy.yaml"))),
  since("1.16", "audit-log-truncate-enabled", audited("true")),
  always("event-ttl", "1h"),
  since("1.11", "requestheader-client-ca-file", pem("pki", "front-proxy-ca")),
  since("1.11", "requestheader-allowed-names", "front-proxy-client"),
  since("1.11", "requestheader-extra-headers-prefix", "X-Remote-Extra-"),
  since("1.11", "requestheader-group-headers", "X-Remote-Group"),
  since("1.11", "requestheader-username-headers", "X-Remote-User"),
  since("1.11", "proxy-client-cert-file", pem("pki", "front-proxy-client")),
  since("1.11", "proxy-client-key-file", pem("pki", "front-proxy-client-key")),
  // Masters without kube-proxy reach services only by their endpoints.
  since("1.11", "enable-aggregator-routing", (c) => (c.node.roles.includes("worker") ? null : "true")),
  since("1.11", "profiling", "false"),
  // Without it an end takes a minute longer: who watches is never told, and waited for.
  since("1.27", "shutdown-watch-termination-grace-period", "10s"),
  // It says that it is going before it goes: haproxy asks each second, and takes it out after two answers.
  since("1.16", "shutdown-delay-duration", (c) => (c.topology.api.endpoint === "first-master" ? null : "5s")),
  always("v", "2"),
];

const client = { folder: "pki", usages: ["client"] } as const;

export const apiserver: Component = {
  name: "kube-apiserver",
  roles: ["master"],
  when: kubernetes,
  units: [
    {
      name: "kube-apiserver.service",
      start: 30,
      behind: "etcd",
      flags,
      data: (c) => ({
        after: ["network-online.target", ...(c.node.roles.includes("etcd") ? ["etcd.service"] : [])],
      }),
    },
  ],
  files: [
    { name: "encryption-config.yaml", since: "1.11", when: encrypts, sensitive: true, data: encryption },
    {
      name: "audit-policy.yaml",
      since: "1.11",
      when: audits,
      data: (c) => ({ apiVersion: `audit.k8s.io/${isAtLeast(c, "1.16") ? "v1" : "v1beta1"}` }),
    },
  ],
  certificates: [
    { name: "kube-apiserver-etcd-client", authority: "etcd", ...client },
    {
      name: "kube-apiserver",
      authority: "kubernetes",
      folder: "pki",
      usages: ["server"],
      sans: (_node, topology) => topology.api.sans,
    },
    { name: "kube-apiserver-kubelet-client", authority: "kubernetes", ...client },
    { name: "front-proxy-client", authority: "front-proxy", since: "1.11", ...client },
  ],
  directories: (c) => (audits(c) ? [{ path: c.paths.auditLog, mode: "0700" }] : []),
  host: () => ({ ports: [{ port: String(apiPort), protocol: "tcp" }] }),
  checks: [
    {
      name: "kube-apiserver is ready",
      unit: "kube-apiserver.service",
      argv: (c) => ask(c, "get", "--raw", isAtLeast(c, "1.16") ? "/readyz" : "/healthz"),
      matches: "^ok",
      timeoutSeconds: 120,
      ...onEtcd,
    },
  ],
};

function encryption(context: NodeContext): Record<string, unknown> {
  const old = !isAtLeast(context, "1.16");
  return {
    apiVersion: old ? "v1" : "apiserver.config.k8s.io/v1",
    kind: old ? "EncryptionConfig" : "EncryptionConfiguration",
    // The first one writes. Both read: while masters go from 1.23 to 1.24 one by one, and ever after, each meets what the
    // other has written.
    providers: isAtLeast(context, "1.24") ? ["secretbox", "aescbc"] : ["aescbc", "secretbox"],
    keys: context.pki.encryptionKeys,
  };
}
