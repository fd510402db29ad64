/** cluster.yaml of the clusters with real pods: of the Kubernetes that the tests run, with what its release has. */
import { join } from "node:path";
import { existsSync } from "node:fs";
import type { RealKubernetes } from "./real-kubernetes.ts";

export interface NodeLine {
  readonly name: string;
  readonly ip: string;
  /** As cluster.yaml takes them. */
  readonly roles: string;
}

export interface RealClusterOptions {
  readonly name: string;
  readonly nodes: readonly NodeLine[];
  /** Packages of the distribution beside those that every node wants. */
  readonly packages?: readonly string[];
  /** Further fields of `network`, as cluster.yaml takes them. */
  readonly network?: string;
  /** Further lines: flags, runtime. */
  readonly more?: string;
}

const usual = ["conntrack", "ethtool", "ipset", "iptables", "ipvsadm", "socat"];

/** Whether the release brings flannel, with which workers may come and go; else there is only static-routes. */
export function hasFlannel({ folder }: RealKubernetes): boolean {
  return folder !== null && existsSync(join(folder, "images/ghcr.io/flannel-io/flannel"));
}

/** The network that there is, no addon but those whose images there are, and the packages that a node wants. */
export function clusterYaml(
  real: RealKubernetes,
  { name, nodes, packages = [], network = "", more = "" }: RealClusterOptions,
): string {
  const flannel = hasFlannel(real);
  const coredns = real.folder !== null && existsSync(join(real.folder, "images/registry.k8s.io/coredns/coredns"));
  const plugin = flannel ? "plugin: flannel" : "plugin: static-routes, proxyMode: iptables";
  const lines = nodes.map(({ name, ip, roles }) => `  - { name: ${name}, ip: ${ip}, roles: [${roles}] }\n`);
  return `name: ${name}
release: ${real.release}
nodes:
${lines.join("")}network: { ${plugin}${network === "" ? "" : `, ${network}`} }
addons: [${coredns ? "coredns" : ""}]
${real.images}packages:
  - { distribution: debian 12, names: [${[...usual, ...packages].join(", ")}] }
${more}`;
}
