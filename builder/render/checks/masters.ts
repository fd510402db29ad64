/** Health of masters, in start order: what leads to the API, the API, its controllers, and what kubelets need of it. */
import { isAtLeast, type NodeContext, usesLocalProxy, usesVip } from "../context.ts";
import {
  admin,
  ask,
  script,
  bin,
  daemons,
  httpGet,
  journal,
  listening,
  etcdQuorum,
  type Row,
  warning,
  withinQuorum,
} from "./row.ts";

/** kubectl asks a controller on loopback for its health, with the admin's certificate; 1.6 knows only componentstatuses. */
const controller = (c: NodeContext, name: string, port: number): string[] =>
  isAtLeast(c, "1.11")
    ? [bin(c, "kubectl"), admin(c), `--server=https://127.0.0.1:${port}`, "get", "--raw", "/healthz"]
    : ask(c, "get", "componentstatuses", name);
/** Up to 1.19 a controller leads by an annotation of Endpoints, later by a Lease. */
const lock = (c: NodeContext, name: string): string[] =>
  ask(c, "--namespace=kube-system", "get", isAtLeast(c, "1.20") ? "leases" : "endpoints", name);
const vip = (c: NodeContext): string => c.topology.cluster.api.vip?.address ?? "";
const undecided =
  "{{range .items}}{{if .status}}{{if not .status.conditions}}{{.metadata.name}} {{end}}{{else}}{{.metadata.name}} {{end}}{{end}}";

export const masterRows: readonly Row[] = [
  {
    name: "haproxy answers on the API's port",
    unit: "haproxy.service",
    roles: ["master"],
    when: usesVip,
    argv: (c) => listening("127.0.0.1", c.topology.api.balancerPort),
    timeoutSeconds: 20,
    hint: journal("haproxy"),
  },
  {
    name: "the API's address answers",
    unit: "keepalived.service",
    roles: ["master"],
    when: usesVip,
    argv: (c) => listening(vip(c), c.topology.api.balancerPort),
    timeoutSeconds: 20,
    hint: (c) => `${journal("keepalived")}; on each master: ip -4 address show to ${vip(c)}`,
  },
  {
    name: "the API's address is held by one master",
    roles: ["master"],
    when: usesVip,
    argv: (c) => {
      const others = c.topology.masters.filter(({ name }) => name !== c.node.name).map(({ ip }) => ip);
      return script("vip-single-holder", vip(c), ...others);
    },
    timeoutSeconds: 60,
    // A firewall that lets only nodes' own addresses ping looks the same.
    severity: warning,
    hint: (c) => `on each master: ip -4 address show to ${vip(c)}; is VRRP (protocol 112) let through between them?`,
  },
  {
    name: "the local proxy answers on the API's port",
    unit: "kube-nginx.service",
    roles: ["master", "worker"],
    when: usesLocalProxy,
    argv: (c) => listening("127.0.0.1", c.topology.api.balancerPort),
    timeoutSeconds: 20,
    hint: journal("kube-nginx"),
  },
  {
    name: "kube-apiserver is ready",
    unit: "kube-apiserver.service",
    roles: ["master"],
    when: daemons,
    argv: (c) => ask(c, "get", "--raw", isAtLeast(c, "1.16") ? "/readyz" : "/healthz"),
    matches: "^ok",
    timeoutSeconds: 120,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: journal("kube-apiserver"),
  },
  {
    name: "kube-controller-manager is running",
    unit: "kube-controller-manager.service",
    roles: ["master"],
    when: daemons,
    argv: (c) => controller(c, "controller-manager", isAtLeast(c, "1.16") ? 10257 : 10252),
    matches: "^ok|Healthy",
    timeoutSeconds: 60,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: journal("kube-controller-manager"),
  },
  {
    name: "kube-scheduler is running",
    unit: "kube-scheduler.service",
    roles: ["master"],
    when: daemons,
    // 1.11 serves health over plain HTTP on loopback only; of 1.6 it is a component's status.
    argv: (c) =>
      isAtLeast(c, "1.11") && !isAtLeast(c, "1.16") ? httpGet(10251, "/healthz") : controller(c, "scheduler", 10259),
    matches: "^ok|Healthy|^HTTP/1\\.[01] 200",
    timeoutSeconds: 60,
    severity: withinQuorum,
    awaits: etcdQuorum,
    hint: journal("kube-scheduler"),
  },
  ...["kube-controller-manager", "kube-scheduler"].map((name): Row => ({
    name: `a ${name} leads`,
    awaits: etcdQuorum,
    roles: ["master"],
    when: daemons,
    argv: (c) => script("leader-lease", ...lock(c, name)),
    timeoutSeconds: 30,
    severity: withinQuorum,
    hint: `on each master: ${journal(name)}`,
  })),
  {
    name: "kubelets may ask for certificates",
    roles: ["master"],
    when: daemons,
    argv: (c) => ask(c, "get", "clusterrolebindings", "kubeferry:kubelet-bootstrap"),
    timeoutSeconds: 30,
    severity: withinQuorum,
    hint: (c) => `kubectl apply -f ${c.paths.own}/rbac.yaml`,
  },
  {
    name: "no kubelet waits for a certificate",
    roles: ["master"],
    when: daemons,
    argv: (c) =>
      script(
        "expect-empty",
        "undecided",
        ...ask(c, "get", "certificatesigningrequests", `-o=go-template=${undecided}`),
      ),
    timeoutSeconds: 30,
    severity: warning,
    hint: "./install approve",
  },
];
