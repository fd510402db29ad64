/** Health checks in start order, each with the command to run next when it fails. */
import type { CheckEntry, Role } from "#bundle";
import { apiPort } from "../config/topology.ts";
import {
  has,
  imageOf,
  type NodeContext,
  runsContainerd,
  runsDocker,
  runsFlanneld,
  usesLocalProxy,
  usesVip,
} from "./context.ts";

/** A check of one node; the selector is put on when equal ones are gathered. */
export type NodeCheck = Omit<CheckEntry, "for"> & { readonly roles: readonly Role[] };

interface Row {
  readonly name: string;
  readonly unit?: string;
  /** Of these, the roles whose installation brings what is checked. */
  readonly roles: readonly Role[];
  readonly when?: (context: NodeContext) => boolean;
  readonly argv: (context: NodeContext) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly matches?: string;
  readonly timeoutSeconds: number;
  readonly severity?: (context: NodeContext) => CheckEntry["severity"];
  readonly hint: string;
}

const daemons = (c: NodeContext): boolean => c.topology.generation.daemons;
const journal = (unit: string): string => `journalctl -u ${unit} -n 50 --no-pager`;
/** What rests on etcd cannot be well before its other members are installed; on hosts of their own it must be. */
const withinQuorum = (c: NodeContext): CheckEntry["severity"] =>
  c.topology.etcd.clientUrls.length > 1 && (has(c, "etcd") || has(c, "master")) ? "quorum" : "error";
const bin = (c: NodeContext, name: string): string => `${c.paths.binaries}/${name}`;
const admin = (c: NodeContext): string => `--kubeconfig=${c.paths.config}/admin.kubeconfig`;
/** Minimal hosts have neither curl nor nc, but they have bash. The script is a constant; port and path are arguments. */
const httpScript = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$2" >&3 && cat <&3';
const httpGet = (port: number, path: string): string[] => ["/bin/bash", "-c", httpScript, "check", String(port), path];
const listening = (port: number): string[] => [
  "/bin/bash",
  "-c",
  'exec 3<>"/dev/tcp/127.0.0.1/$1"',
  "check",
  String(port),
];
const answers200 = "^HTTP/1\\.[01] 200";
/** kubectl asks a controller on loopback for its health, with the admin's certificate; 1.6 knows only componentstatuses. */
const controller = (c: NodeContext, name: string, port: number): string[] =>
  c.era === "1.6"
    ? [bin(c, "kubectl"), admin(c), "get", "componentstatuses", name]
    : [bin(c, "kubectl"), admin(c), `--server=https://127.0.0.1:${port}`, "get", "--raw", "/healthz"];

const rows: readonly Row[] = [
  {
    name: "etcd is healthy",
    unit: "etcd.service",
    roles: ["etcd"],
    argv: (c) => [
      bin(c, "etcdctl"),
      "--endpoints=https://127.0.0.1:2379",
      `--cacert=${c.paths.etcdPki}/ca.pem`,
      `--cert=${c.paths.etcdPki}/etcd.pem`,
      `--key=${c.paths.etcdPki}/etcd-key.pem`,
      "endpoint",
      "health",
    ],
    environment: { ETCDCTL_API: "3" },
    matches: "is healthy: successfully committed proposal",
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: journal("etcd"),
  },
  {
    name: "haproxy answers on the API's port",
    unit: "haproxy.service",
    roles: ["master"],
    when: usesVip,
    argv: (c) => listening(c.topology.api.balancerPort),
    timeoutSeconds: 20,
    hint: journal("haproxy"),
  },
  {
    name: "the local proxy answers on the API's port",
    unit: "kube-nginx.service",
    roles: ["master", "worker"],
    when: usesLocalProxy,
    argv: (c) => listening(c.topology.api.balancerPort),
    timeoutSeconds: 20,
    hint: journal("kube-nginx"),
  },
  {
    name: "kube-apiserver is ready",
    unit: "kube-apiserver.service",
    roles: ["master"],
    when: daemons,
    argv: (c) => [
      bin(c, "kubectl"),
      admin(c),
      `--server=https://${c.node.ip}:${apiPort}`,
      "get",
      "--raw",
      c.era === "1.36" || c.era === "1.16" ? "/readyz" : "/healthz",
    ],
    matches: "^ok",
    timeoutSeconds: 120,
    severity: withinQuorum,
    hint: journal("kube-apiserver"),
  },
  {
    name: "kube-controller-manager is running",
    unit: "kube-controller-manager.service",
    roles: ["master"],
    when: daemons,
    argv: (c) => controller(c, "controller-manager", c.era === "1.11" ? 10252 : 10257),
    matches: "^ok|Healthy",
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: journal("kube-controller-manager"),
  },
  {
    name: "kube-scheduler is running",
    unit: "kube-scheduler.service",
    roles: ["master"],
    when: daemons,
    // 1.11 serves health over plain HTTP on loopback only.
    argv: (c) => (c.era === "1.11" ? httpGet(10251, "/healthz") : controller(c, "scheduler", 10259)),
    matches: "^ok|Healthy|^HTTP/1\\.[01] 200",
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: journal("kube-scheduler"),
  },
  {
    name: "flannel has a subnet",
    unit: "flanneld.service",
    roles: ["worker"],
    when: runsFlanneld,
    argv: () => ["/bin/grep", "-E", "^FLANNEL_SUBNET=[0-9.]+/[0-9]+$", "/run/flannel/subnet.env"],
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: `${journal("flanneld")}; wanted there: Lease acquired`,
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
    hint: journal("docker"),
  },
  {
    name: "the sandbox image is there",
    roles: ["worker"],
    when: (c) => daemons(c) && !runsDocker(c) && imageOf(c, "pause") !== null,
    argv: (c) => [bin(c, "ctr"), "-n", "k8s.io", "images", "check", `name==${imageOf(c, "pause") ?? ""}`],
    matches: "complete",
    timeoutSeconds: 30,
    severity: () => "warning",
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
    hint: `${journal("kubelet")}; on a master: kubectl get csr`,
  },
  {
    name: "kube-proxy is healthy",
    unit: "kube-proxy.service",
    roles: ["worker"],
    when: daemons,
    argv: (c) => httpGet(c.era === "1.6" ? 10249 : 10256, "/healthz"),
    matches: answers200,
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: journal("kube-proxy"),
  },
];

/** The checks of one node. */
export function checksOf(context: NodeContext): NodeCheck[] {
  return rows
    .filter((row) => row.roles.some((role) => has(context, role)) && (row.when?.(context) ?? true))
    .map((row) => ({
      name: row.name,
      ...(row.unit === undefined ? {} : { unit: row.unit }),
      argv: [...row.argv(context)],
      environment: { ...row.environment },
      ...(row.matches === undefined ? {} : { matches: row.matches }),
      timeoutSeconds: row.timeoutSeconds,
      severity: row.severity?.(context) ?? "error",
      hint: row.hint,
      roles: row.roles,
    }));
}
