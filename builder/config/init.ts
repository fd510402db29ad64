/** `kubeferry init`: a `cluster.yaml` in which every option stands with what it means. */
import { stringify } from "yaml";
import type { Role } from "#bundle";
import { descriptions } from "./descriptions.ts";

/** What a person answers; all else keeps its default and stands in the file as a comment. */
export interface InitAnswers {
  readonly name: string;
  readonly release: string;
  readonly nodes: readonly { readonly name: string; readonly ip: string; readonly roles: readonly Role[] }[];
  readonly platforms?: readonly string[];
  readonly workersSubnet?: string;
  readonly services?: string;
  readonly pods?: string;
  readonly plugin?: string;
  readonly endpoint?: string;
  readonly vip?: { readonly address: string; readonly interface: string };
  readonly runtime?: string;
}

/** One option: its value where it is set, and what stands in the comment where it is not. */
interface Option {
  readonly key: string;
  readonly value?: unknown;
  readonly example?: unknown;
  readonly options?: readonly Option[];
}

/**
 * The file's text. Prose is `# text`; an option that is not set is `#key: value`, so that taking the `#` away sets it.
 * Pure. The text is not checked: {@link parseCluster} does that.
 */
export function clusterYaml(answers: InitAnswers): string {
  const head = [
    "# A cluster of Kubeferry. Options that begin with # show their default or an example: take the # away to set one.",
    "# Check it:  kubeferry lock cluster.yaml",
    "",
  ];
  return `${[...head, ...optionsOf(answers).flatMap((option) => [...write(option, []), ""])].join("\n").trimEnd()}\n`;
}

function optionsOf(answers: InitAnswers): Option[] {
  const { vip } = answers;
  return [
    { key: "name", value: answers.name },
    { key: "release", value: answers.release },
    { key: "platforms", value: answers.platforms, example: ["linux/amd64"] },
    { key: "nodes", value: answers.nodes },
    { key: "workers", options: [{ key: "subnet", value: answers.workersSubnet, example: "10.0.0.0/24" }] },
    {
      key: "network",
      options: [
        { key: "services", value: answers.services, example: "10.254.0.0/16" },
        { key: "pods", value: answers.pods, example: "172.30.0.0/16" },
        { key: "nodePorts", example: "30000-32767" },
        { key: "domain", example: "cluster.local" },
        { key: "nameservers", example: ["10.0.0.53"] },
        { key: "plugin", value: answers.plugin, example: "flannel" },
        { key: "proxyMode", example: "iptables" },
      ],
    },
    {
      key: "api",
      options: [
        { key: "endpoint", value: answers.endpoint, example: "first-master" },
        {
          key: "vip",
          options: [
            { key: "address", value: vip?.address, example: "10.0.0.10" },
            { key: "interface", value: vip?.interface, example: "eth0" },
            { key: "port", example: 8443 },
            { key: "routerId", example: 68 },
          ],
        },
        { key: "sans", example: ["kubernetes.example.org"] },
      ],
    },
    { key: "runtime", value: answers.runtime, example: "containerd" },
    {
      key: "etcd",
      options: [
        { key: "dataDir", example: "/var/lib/etcd" },
        { key: "walDir", example: "/var/lib/etcd-wal" },
        {
          key: "snapshots",
          options: [
            { key: "interval", example: "6h" },
            { key: "keep", example: 28 },
          ],
        },
      ],
    },
    {
      key: "directories",
      options: [
        { key: "kubelet", example: "/var/lib/kubelet" },
        { key: "containerd", example: "/var/lib/containerd" },
        { key: "docker", example: "/var/lib/docker" },
      ],
    },
    {
      key: "certificates",
      options: [
        { key: "algorithm", example: "ECDSA-P256" },
        { key: "caDays", example: 3650 },
        { key: "days", example: 1095 },
        { key: "tokenDays", example: 365 },
        { key: "administrators", example: "kubeferry:administrators" },
      ],
    },
    { key: "profile", example: "cis" },
    { key: "encryptionAtRest", example: true },
    { key: "audit", example: true },
    { key: "flags", example: {} },
    { key: "kubelet", example: {} },
    { key: "kube-proxy", example: {} },
    { key: "kube-scheduler", example: {} },
    { key: "containerd", example: {} },
    { key: "docker", example: {} },
    { key: "addons", example: [] },
    { key: "tools", example: [] },
    { key: "alternatives", example: [] },
    {
      key: "host",
      options: [
        { key: "swap", example: "off" },
        { key: "selinux", example: "keep" },
        { key: "firewall", example: "keep" },
        { key: "hostname", example: false },
        { key: "hosts", example: true },
        { key: "sysctls", example: { "vm.max_map_count": "262144" } },
        { key: "modules", example: ["dm_thin_pool"] },
        { key: "stopServices", example: ["postfix.service"] },
        { key: "timeSync", example: ["10.0.0.250"] },
        {
          key: "limits",
          options: [
            { key: "nofile", example: 1048576 },
            { key: "nproc", example: 65536 },
          ],
        },
        { key: "path", example: true },
        { key: "provides", example: ["/usr/sbin/haproxy"] },
      ],
    },
    { key: "manifests", example: [] },
    { key: "registries", example: { "docker.io": { mirrors: ["https://registry.plant.example:5000"] } } },
    {
      key: "files",
      example: [
        {
          path: "/etc/issue.net",
          source: "issue.net",
          roles: ["worker"],
          nodes: ["n1"],
          mode: "0644",
          owner: "0:0",
          secret: false,
        },
      ],
    },
    { key: "images", example: [{ name: "registry.example/app:1.2", from: "oci:./app", roles: ["worker"] }] },
    {
      key: "packages",
      example: [
        {
          distribution: "debian 12",
          names: ["conntrack", "socat"],
          base: "./minimal-debian.txt",
          repositories: [
            { url: "https://mirror.example/debian", suite: "bookworm", components: ["main"], key: "./archive.asc" },
          ],
        },
      ],
    },
  ];
}

function isSet(option: Option): boolean {
  return option.value !== undefined || (option.options?.some(isSet) ?? false);
}

function write(option: Option, above: readonly string[]): string[] {
  const { key, value, example, options } = option;
  const path = [...above, key];
  const indent = "  ".repeat(above.length);
  const mark = isSet(option) ? "" : "#";
  const prose = [`${indent}# ${descriptions[path.join(".")] ?? ""}`];
  if (options !== undefined) {
    return [...prose, `${indent}${mark}${key}:`, ...options.flatMap((inner) => write(inner, path))];
  }
  if (key === "nodes" && Array.isArray(value)) return [...prose, ...nodeProse, `${key}:`, ...value.map(nodeLine)];
  return [...prose, `${indent}${mark}${key}: ${flow(value ?? example)}`];
}

/** What a node's entry may hold besides the three that it must. */
const nodeProse = ["name", "ip", "roles", "iface", "labels", "taints"].map(
  (key) => `#   ${key}: ${descriptions[`nodes.${key}`] ?? ""}`,
);

function nodeLine(node: unknown): string {
  return `  - ${flow(node)}`;
}

/** A value on one line. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();
}
