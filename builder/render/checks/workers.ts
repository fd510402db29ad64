/** Health of workers, in start order: the network, the runtime, the kubelet and its certificates, kube-proxy and its rules. */
import { apiServerUrl } from "../../config/topology.ts";
import {
  has,
  imageOf,
  isAtLeast,
  type NodeContext,
  runsContainerd,
  runsDocker,
  runsFlanneld,
  usesLocalProxy,
} from "../context.ts";
import {
  ask,
  script,
  bin,
  daemons,
  httpGet,
  journal,
  listening,
  literally,
  anyApi,
  etcdQuorum,
  type Row,
  warning,
  withinQuorum,
} from "./row.ts";

const answers200 = "^HTTP/1\\.[01] 200";
const flannelFile = "/run/flannel/subnet.env";
/** Where the kubelet puts what it was issued: 1.6 does not rotate. */
const clientCertificate = (c: NodeContext): string =>
  `${c.paths.kubeletPki}/kubelet-client${isAtLeast(c, "1.11") ? "-current.pem" : ".crt"}`;
/** Its own health: /healthz of these versions says 503 until its Node exists, which comes with the control plane. */
const proxyHealth = (c: NodeContext): string => (isAtLeast(c, "1.28") ? "/livez" : "/healthz");
/** docker starts in the subnet that flannel has in etcd, and the kubelet after docker. */
const throughFlannel = (c: NodeContext): ReturnType<typeof etcdQuorum> | null =>
  runsDocker(c) && runsFlanneld(c) ? etcdQuorum(c) : null;
const hasDns = (c: NodeContext): boolean =>
  daemons(c) && c.topology.addons.some((name) => name === "coredns" || name === "kube-dns");
const ready = '{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}: {{.message}}{{end}}{{end}}';

export const workerRows: readonly Row[] = [
  {
    name: "the API is reached",
    roles: ["worker"],
    when: (c) => daemons(c) && !has(c, "master") && !usesLocalProxy(c),
    argv: (c) => {
      const url = new URL(apiServerUrl(c.topology, "worker", c.node) ?? "");
      return listening(url.hostname, Number(url.port));
    },
    timeoutSeconds: 20,
    awaits: anyApi,
    hint: "on a master: ./install status; and is its port open from here?",
  },
  {
    name: "flannel has a subnet",
    unit: "flanneld.service",
    roles: ["worker"],
    when: runsFlanneld,
    argv: () => ["/bin/grep", "-E", "^FLANNEL_SUBNET=[0-9.]+/[0-9]+$", flannelFile],
    timeoutSeconds: 60,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: `${journal("flanneld")}; wanted there: Lease acquired`,
  },
  {
    name: "flannel's interface is in its subnet",
    roles: ["worker"],
    when: runsFlanneld,
    argv: () => script("flannel-interface", flannelFile),
    timeoutSeconds: 20,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: `ip -d address show flannel.1; ${journal("flanneld")}`,
  },
  {
    name: "containerd answers",
    unit: "containerd.service",
    roles: ["worker"],
    when: runsContainerd,
    argv: (c) => [bin(c, "ctr"), "--address", "/run/containerd/containerd.sock", "version"],
    matches: "Server:",
    timeoutSeconds: 60,
    hint: journal("containerd"),
  },
  {
    name: "docker answers",
    unit: "docker.service",
    roles: ["worker"],
    when: runsDocker,
    argv: (c) => [bin(c, "docker"), "version"],
    matches: "Server:",
    timeoutSeconds: 60,
    severity: withinQuorum,
    awaits: throughFlannel,
    hint: journal("docker"),
  },
  {
    name: "docker is in flannel's subnet",
    unit: "docker.service",
    roles: ["worker"],
    when: (c) => runsDocker(c) && runsFlanneld(c),
    argv: () => script("docker-subnet", flannelFile),
    timeoutSeconds: 20,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: "systemctl restart docker; it takes its subnet from /run/flannel/docker",
  },
  {
    name: "the sandbox image is there",
    roles: ["worker"],
    when: (c) => daemons(c) && !runsDocker(c) && imageOf(c, "pause") !== null,
    argv: (c) => [bin(c, "ctr"), "-n", "k8s.io", "images", "check", `name==${imageOf(c, "pause") ?? ""}`],
    matches: "complete",
    timeoutSeconds: 30,
    severity: warning,
    hint: "ctr -n k8s.io images ls",
  },
  {
    name: "kubelet is healthy",
    unit: "kubelet.service",
    roles: ["worker"],
    when: daemons,
    argv: () => httpGet(10248, "/healthz"),
    matches: answers200,
    timeoutSeconds: 120,
    severity: withinQuorum,
    awaits: throughFlannel,
    hint: `${journal("kubelet")}; on a master: kubectl get csr`,
  },
  {
    name: "the kubelet has its client certificate",
    roles: ["worker"],
    when: daemons,
    argv: (c) => script("file-exists", clientCertificate(c)),
    timeoutSeconds: 20,
    severity: withinQuorum,
    awaits: anyApi,
    hint: `on a master: kubectl get csr; ./install approve; here: ${journal("kubelet")}`,
  },
  {
    name: "the kubelet has its serving certificate",
    roles: ["worker"],
    // 1.6 signs its own.
    when: (c) => isAtLeast(c, "1.11"),
    argv: (c) => script("file-exists", `${c.paths.kubeletPki}/kubelet-server-current.pem`),
    timeoutSeconds: 20,
    // kubeferry-approve on the masters approves it as soon as it is asked for; until then only logs and exec do not work.
    severity: warning,
    hint: "on a master: ./install approve",
  },
  {
    name: "the pods' network is configured",
    roles: ["worker"],
    when: (c) => daemons(c) && !(runsDocker(c) && runsFlanneld(c)),
    argv: (c) => script("cni", c.paths.cniConfig),
    timeoutSeconds: 20,
    severity: warning,
    hint: "on a master: kubectl get pods --all-namespaces -o wide; the network's own pod on this node writes it",
  },
  {
    name: "the node is Ready",
    roles: ["worker"],
    // Workers have no kubectl.
    when: (c) => daemons(c) && has(c, "master"),
    argv: (c) => ask(c, "get", "node", c.node.hostname, `-o=go-template=${ready}`),
    matches: "^True",
    timeoutSeconds: 30,
    severity: withinQuorum,
    hint: (c) => `kubectl describe node ${c.node.hostname}; ${journal("kubelet")}`,
  },
  {
    name: "kube-proxy is healthy",
    unit: "kube-proxy.service",
    roles: ["worker"],
    when: daemons,
    argv: (c) => (isAtLeast(c, "1.11") ? httpGet(10256, proxyHealth(c)) : httpGet(10249, "/healthz")),
    matches: answers200,
    timeoutSeconds: 60,
    severity: withinQuorum,
    // Later versions (seen with 1.35) open no port at all before they have looked for their Node.
    awaits: anyApi,
    hint: journal("kube-proxy"),
  },
  {
    name: "kube-proxy forwards the API service",
    roles: ["worker"],
    when: daemons,
    argv: (c) => rulesOf[c.topology.network.proxyMode].argv(c),
    matches: (c) => rulesOf[c.topology.network.proxyMode].matches(literally(c.topology.network.apiService)),
    timeoutSeconds: 30,
    severity: withinQuorum,
    awaits: anyApi,
    hint: journal("kube-proxy"),
  },
  {
    name: "the cluster's DNS answers",
    roles: ["worker"],
    when: hasDns,
    argv: ({ topology: { network } }) => script("resolves", network.dnsService, network.domain, network.apiService),
    timeoutSeconds: 10,
    severity: withinQuorum,
    awaits: anyApi,
    hint: "on a master: kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide",
  },
];

/** By kube-proxy's mode: what shows its rules, and the one for the API's service. */
const rulesOf = {
  iptables: {
    argv: () => ["iptables", "-w", "-t", "nat", "-S", "KUBE-SERVICES"],
    matches: (ip: string) => `-d ${ip}/32 .*--dport 443 .*-j KUBE-SVC-`,
  },
  ipvs: {
    argv: (c: NodeContext) => script("service-forwarded", c.topology.network.apiService, "/proc/net/ip_vs"),
    matches: (ip: string) => `^${ip}:443 is forwarded`,
  },
  nftables: {
    argv: () => ["nft", "list", "table", "ip", "kube-proxy"],
    matches: (ip: string) => `${ip} \\. tcp \\. (443|https) : goto service-`,
  },
} as const;
