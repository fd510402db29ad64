/**
 * The cluster as every later stage sees it: one list of nodes and every value that follows from cluster.yaml,
 * derived here once. Pure.
 */
import type { Role } from "#bundle";
import type { ClusterConfig } from "./cluster.ts";
import { type Generation, generations } from "./generations.ts";
import { addressText, eachOf, type Family, familyOf, hostPort, network, usualSpelling } from "#formats/address";
import { usualProxyMode } from "./pair-rules.ts";
import type { ReleaseManifest } from "./release.ts";

export interface TopologyNode {
  readonly name: string;
  /** Where the node listens; the literal token `@NODE_IP@` for the profile of workers that come and go. */
  readonly ip: string;
  /** Its address of each family that it has, that one first. */
  readonly ips: readonly string[];
  /** As the cluster knows it; `@NODE_NAME@` for the profile. */
  readonly hostname: string;
  readonly iface: string | null;
  readonly roles: readonly Role[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly string[];
  /** The addresses that may take this profile; null for a node of its own. */
  readonly subnet: string | null;
}

export interface Topology {
  readonly cluster: ClusterConfig;
  readonly release: { readonly name: string; readonly kubernetes: string | null };
  readonly generation: Generation;
  /** Every node, in the order of cluster.yaml; the worker profile last. */
  readonly nodes: readonly TopologyNode[];
  readonly etcdMembers: readonly TopologyNode[];
  readonly masters: readonly TopologyNode[];
  readonly workers: readonly TopologyNode[];
  readonly network: {
    /** Of one family, or of each with IPv4 first; those of pods are of the same. */
    readonly services: readonly string[];
    readonly pods: readonly string[];
    readonly domain: string;
    /** First address of the services' network: the API's own service. */
    readonly apiService: string;
    /** Second address: the cluster's DNS. */
    readonly dnsService: string;
    readonly nameservers: readonly string[];
    readonly nodePorts: { readonly first: number; readonly last: number };
    readonly plugin: Generation["plugin"];
    readonly proxyMode: Generation["proxyMode"];
    readonly mtu: number;
  };
  readonly etcd: {
    readonly clientUrls: readonly string[];
    /** `name=https://ip:2380` of every member. */
    readonly initialCluster: readonly string[];
    readonly token: string;
    readonly dataDir: string;
    readonly walDir: string | null;
  };
  readonly api: {
    readonly endpoint: ClusterConfig["api"]["endpoint"];
    /** Port on which the load balancer (VIP or local proxy) listens. */
    readonly balancerPort: number;
    /** Names and addresses in every API server's certificate. */
    readonly sans: readonly string[];
    /** What people and workers are told: `https://10.0.0.1:6443`; null without masters. */
    readonly url: string | null;
  };
  readonly paths: Paths;
  readonly addons: readonly string[];
}

export interface Paths {
  readonly binaries: string;
  readonly cniBinaries: string;
  readonly cniConfig: string;
  readonly units: string;
  /** Configurations and kubeconfigs of Kubernetes. */
  readonly config: string;
  readonly pki: string;
  readonly etcdPki: string;
  readonly kubeletPki: string;
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly containerd: string;
  readonly docker: string;
  readonly auditLog: string;
  /** Manifests and scripts of Kubeferry itself. */
  readonly own: string;
}

/** Name of the profile node for workers that have no entry of their own. */
export const workerProfile = "worker";
export const apiPort = 6443;

/** Who asks for the API: each has its own nearest address. */
export type ApiConsumer = "admin" | "worker" | "master";

/** Everything that follows from a cluster and the release it wants. Never throws: rules between fields are in rules.ts. */
export function topology(cluster: ClusterConfig, manifest: ReleaseManifest): Topology {
  const generation = generations[manifest.generation];
  const nodes: TopologyNode[] = cluster.nodes.map((node) => ({
    name: node.name,
    ip: eachOf(node.ip)[0] ?? "",
    ips: eachOf(node.ip),
    hostname: node.name,
    iface: node.iface ?? null,
    roles: [...new Set(node.roles)],
    labels: node.labels,
    taints: node.taints,
    subnet: null,
  }));
  if (cluster.workers !== undefined) nodes.push(profileOf(cluster.workers.subnet));
  const having = (role: Role): TopologyNode[] => nodes.filter((node) => node.roles.includes(role));
  const etcdMembers = having("etcd");
  const masters = having("master");
  const services = eachOf(cluster.network.services);
  const [primary = ""] = services;
  const apiService = addressIn(primary, 1);
  const domain = cluster.network.domain;
  const [first = 0, last = 0] = cluster.network.nodePorts.split("-").map(Number);
  const { vip, endpoint } = cluster.api;
  const plugin = cluster.network.plugin ?? generation.plugin;
  const mtu = plugin === "static-routes" ? 1500 : familyOf(primary) === "ipv4" ? 1450 : 1430;
  const place = apiPlace(endpoint, vip, masters);

  return {
    cluster,
    release: { name: manifest.release, kubernetes: manifest.kubernetes },
    generation,
    nodes,
    etcdMembers,
    masters,
    workers: having("worker"),
    network: {
      services,
      pods: eachOf(cluster.network.pods),
      domain,
      apiService,
      dnsService: addressIn(primary, 2),
      nameservers: cluster.network.nameservers,
      nodePorts: { first, last },
      plugin,
      proxyMode: cluster.network.proxyMode ?? usualProxyMode(manifest),
      mtu,
    },
    etcd: {
      clientUrls: etcdMembers.map((node) => `https://${hostPort(node.ip, 2379)}`),
      initialCluster: etcdMembers.map((node) => `${node.name}=https://${hostPort(node.ip, 2380)}`),
      token: `etcd-${cluster.name}`,
      dataDir: cluster.etcd.dataDir,
      walDir: cluster.etcd.walDir ?? null,
    },
    api: {
      endpoint,
      balancerPort: vip?.port ?? 8443,
      sans: unique([
        "127.0.0.1",
        ...masters.map((node) => node.ip),
        ...(vip === undefined ? [] : [vip.address]),
        apiService,
        "localhost",
        ...masters.map((node) => node.name),
        ...serviceNames(domain),
        ...cluster.api.sans.map(usualSpelling),
      ]),
      url: place && urlOf(place),
    },
    paths: {
      binaries: "/usr/local/bin",
      cniBinaries: "/opt/cni/bin",
      cniConfig: "/etc/cni/net.d",
      units: "/etc/systemd/system",
      config: "/etc/kubernetes",
      pki: generation.pki,
      etcdPki: generation.etcdPki,
      kubeletPki: generation.kubeletPki,
      kubelet: cluster.directories.kubelet,
      kubeProxy: "/var/lib/kube-proxy",
      containerd: cluster.directories.containerd,
      docker: cluster.directories.docker,
      auditLog: "/var/log/kubernetes/audit",
      own: "/etc/kubernetes/kubeferry",
    },
    addons: cluster.addons ?? generation.addons,
  };
}

/** An address, as it is outside of URLs, and a port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Where a consumer on a node finds the API; null without masters. */
export function apiServerUrl(topology: Topology, consumer: ApiConsumer, node: TopologyNode): string | null {
  if (consumer === "master" && node.roles.includes("master")) return urlOf({ host: node.ip, port: apiPort });
  const place = apiServerOfHosts(topology);
  return place && urlOf(place);
}

/** Where any node, and pods in its network, find the API without kube-proxy; null without masters. */
export function apiServerOfHosts({ api, cluster, masters }: Topology): Place | null {
  // The proxy is on every node that runs masters' or workers' software; an admin on a master uses it as well.
  if (api.endpoint === "local-proxy" && masters.length > 0) return { host: "127.0.0.1", port: api.balancerPort };
  return apiPlace(api.endpoint, cluster.api.vip, masters);
}

/** Whether a master that is no worker, and so has no network plugin, needs to reach pods of ours by addresses of their hosts. */
export function hasMasterOutside({ network, masters }: Topology): boolean {
  return network.plugin !== "static-routes" && masters.some(({ roles }) => !roles.includes("worker"));
}

/** Where metrics-server listens when it is in the network of its host: the kubelet has 10250 there. */
export const metricsHostPort = 4443;

/** The node's or profile's entry as an index names it. */
export function indexAddress(node: TopologyNode): string | null {
  return node.subnet === null ? node.ip : null;
}

/** The `offset`th address of a network: 1 is the first host. */
export function addressIn(cidr: string, offset: number | bigint): string {
  const { first, family } = network(cidr);
  return addressText(first + BigInt(offset), family);
}

/** Whether pods, services and nodes have addresses of this family. */
export function hasFamily({ network }: Pick<Topology, "network">, family: Family): boolean {
  return network.pods.some((range) => familyOf(range) === family);
}

/** Whether pods, services and nodes have addresses of both families. */
export function isDualStack({ network }: Pick<Topology, "network">): boolean {
  return network.pods.length > 1;
}

function profileOf(subnet: string): TopologyNode {
  return {
    name: workerProfile,
    ip: "@NODE_IP@",
    ips: ["@NODE_IP@"],
    hostname: "@NODE_NAME@",
    iface: "@NODE_IFACE@",
    roles: ["worker"],
    labels: {},
    taints: [],
    subnet,
  };
}

function apiPlace(
  endpoint: ClusterConfig["api"]["endpoint"],
  vip: ClusterConfig["api"]["vip"],
  masters: readonly TopologyNode[],
): Place | null {
  const first = masters[0];
  if (first === undefined) return null;
  return endpoint === "vip" && vip !== undefined
    ? { host: vip.address, port: vip.port }
    : { host: first.ip, port: apiPort };
}

function urlOf({ host, port }: Place): string {
  return `https://${hostPort(host, port)}`;
}

function serviceNames(domain: string): string[] {
  const service = "kubernetes.default.svc";
  const [firstLabel = domain] = domain.split(".");
  return ["kubernetes", "kubernetes.default", service, `${service}.${firstLabel}`, `${service}.${domain}`];
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
