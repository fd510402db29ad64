/** kube-proxy: from 1.11 on all but one of its flags are in its configuration file. */
import { familyOf } from "#formats/address";
import { hasFamily } from "../../config/topology.ts";
import { answers200, httpGet, literally, onApi, script } from "../check.ts";
import type { Component } from "../component.ts";
import { configuration } from "../configuration.ts";
import { config, isAtLeast, kubernetes, type NodeContext, usesLocalProxy } from "../context.ts";
import { always, type FieldRow, type FlagRow, since, until } from "../rows.ts";

const kubeconfig = config("kube-proxy.kubeconfig");

const flags: readonly FlagRow[] = [
  until("1.11", "bind-address", (c) => c.node.ip),
  until("1.11", "hostname-override", (c) => c.node.hostname),
  until("1.11", "cluster-cidr", (c) => c.topology.network.pods.join()),
  until("1.11", "proxy-mode", (c) => c.topology.network.proxyMode),
  until("1.11", "kubeconfig", kubeconfig),
  since("1.11", "config", config("kube-proxy.yaml")),
  always("v", "2"),
];

const fields: readonly FieldRow[] = [
  always("kind", "KubeProxyConfiguration"),
  always("apiVersion", "kubeproxy.config.k8s.io/v1alpha1"),
  always("bindAddress", (c) => c.node.ip),
  always("clientConnection", (c) => ({ kubeconfig: kubeconfig(c) })),
  always("clusterCIDR", (c) => c.topology.network.pods.join()),
  always("hostnameOverride", (c) => c.node.hostname),
  always("healthzBindAddress", "127.0.0.1:10256"),
  always("metricsBindAddress", "127.0.0.1:10249"),
  always("mode", (c) => c.topology.network.proxyMode),
  // 0 leaves the kernel's values alone: the host entry has them, so that there is one master of each and undo knows it.
  always("conntrack", { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: "0s", tcpEstablishedTimeout: "0s" }),
  always("ipvs", (c) => (c.topology.network.proxyMode === "ipvs" ? { scheduler: "rr" } : null)),
];

/** Its own health: /healthz of these versions says 503 until its Node exists, which comes with the control plane. */
const proxyHealth = (c: NodeContext): string => (isAtLeast(c, "1.28") ? "/livez" : "/healthz");
const isIPv6 = (ip: string): boolean => familyOf(ip) === "ipv6";
/** By kube-proxy's mode: what shows its rules, and the one for the API's service. */
const rulesOf = {
  iptables: {
    argv: (ip: string) => [isIPv6(ip) ? "ip6tables" : "iptables", "-w", "-t", "nat", "-S", "KUBE-SERVICES"],
    matches: (ip: string) => `-d ${literally(ip)}/${isIPv6(ip) ? 128 : 32} .*--dport 443 .*-j KUBE-SVC-`,
  },
  ipvs: {
    argv: (ip: string) =>
      isIPv6(ip)
        ? script(["ipv6-digits.sh", "kube-proxy/service-forwarded-ipv6.sh"], ip, "/proc/net/ip_vs")
        : script(["kube-proxy/service-forwarded.sh"], ip, "/proc/net/ip_vs"),
    matches: (ip: string) => `^${literally(ip)}:443 is forwarded`,
  },
  nftables: {
    argv: (ip: string) => ["nft", "list", "table", isIPv6(ip) ? "ip6" : "ip", "kube-proxy"],
    matches: (ip: string) => `${literally(ip)} \\. tcp \\. (443|https) : goto service-`,
  },
} as const;

const modules = {
  iptables: ["ip_tables"],
  ipvs: ["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"],
  nftables: ["nf_tables"],
} as const;

export const kubeProxy: Component = {
  name: "kube-proxy",
  roles: ["worker"],
  when: kubernetes,
  units: [
    {
      name: "kube-proxy.service",
      start: 75,
      flags,
      data: (c) => ({ after: ["network-online.target", ...(usesLocalProxy(c) ? ["kube-haproxy.service"] : [])] }),
    },
  ],
  files: [configuration("kube-proxy", "kube-proxy.yaml", fields)],
  certificates: [
    {
      name: "kube-proxy",
      authority: "kubernetes",
      folder: null,
      commonName: "system:kube-proxy",
      organization: "system:node-proxier",
      usages: ["client"],
    },
  ],
  kubeconfigs: [{ file: "kube-proxy.kubeconfig", certificate: "kube-proxy", user: "kube-proxy", consumer: "worker" }],
  directories: ({ paths }) => [{ path: paths.kubeProxy, mode: "0755" }],
  host: ({ network }) => ({
    modules: modules[network.proxyMode].flatMap((name) =>
      name === "ip_tables" && hasFamily({ network }, "ipv6") ? [name, "ip6_tables"] : [name],
    ),
  }),
  checks: [
    {
      name: "kube-proxy is healthy",
      unit: "kube-proxy.service",
      argv: (c) => (isAtLeast(c, "1.11") ? httpGet(10256, proxyHealth(c)) : httpGet(10249, "/healthz")),
      matches: answers200,
      timeoutSeconds: 60,
      // Later versions (seen with 1.35) open no port at all before they have looked for their Node.
      ...onApi,
    },
    {
      name: "kube-proxy forwards the API service",
      argv: ({ topology: { network } }) => rulesOf[network.proxyMode].argv(network.apiService),
      matches: ({ topology: { network } }) => rulesOf[network.proxyMode].matches(network.apiService),
      ...onApi,
    },
  ],
};
