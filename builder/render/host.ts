/** What a host must be before anything starts: kernel modules, sysctls, swap, names, ports. */
import type { HostEntry, ModuleEntry, Role, SysctlEntry } from "#bundle";
import { kernelDefaults } from "../config/kernel-defaults.ts";
import { apiPort, hasMasterOutside, metricsHostPort, type Topology } from "../config/topology.ts";
import { isHardened } from "./profile.ts";

type Policy = SysctlEntry["policy"];

const nodeRoles: readonly Role[] = ["worker"];
const everywhere: readonly Role[] = ["etcd", "master", "worker"];

/** Values that pods and many watches need, those that the kubelet would set itself among them; `raise` leaves a larger number alone. */
const sysctls: readonly (readonly [key: string, value: string, policy: Policy])[] = [
  ["net.ipv4.ip_forward", "1", "set"],
  ["net.bridge.bridge-nf-call-iptables", "1", "set"],
  ["net.bridge.bridge-nf-call-ip6tables", "1", "set"],
  ["net.ipv4.neigh.default.gc_thresh1", "1024", "raise"],
  ["net.ipv4.neigh.default.gc_thresh2", "2048", "raise"],
  ["net.ipv4.neigh.default.gc_thresh3", "4096", "raise"],
  ["net.netfilter.nf_conntrack_max", "1048576", "raise"],
  ["net.netfilter.nf_conntrack_tcp_timeout_close_wait", "3600", "set"],
  ["net.netfilter.nf_conntrack_tcp_timeout_established", "86400", "set"],
  ["vm.overcommit_memory", "1", "set"],
  ["vm.panic_on_oom", "0", "set"],
  ["vm.swappiness", "0", "set"],
  ["kernel.panic", "10", "set"],
  ["kernel.panic_on_oops", "1", "set"],
  ["kernel.keys.root_maxbytes", "25000000", "raise"],
  ["kernel.keys.root_maxkeys", "1000000", "raise"],
  ["fs.inotify.max_user_instances", "8192", "raise"],
  ["fs.inotify.max_user_watches", "1048576", "raise"],
  ["fs.file-max", "52706963", "raise"],
];

const proxyModules = {
  iptables: ["ip_tables"],
  ipvs: ["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"],
  nftables: ["nf_tables"],
} as const;

export function hostEntry(topology: Topology): HostEntry {
  const { host } = topology.cluster;
  return {
    modules: modules(topology),
    sysctls: allSysctls(topology),
    swap: host.swap,
    selinux: host.selinux,
    firewall: { mode: host.firewall, ports: ports(topology), ...protocols(topology) },
    hosts: host.hosts
      ? topology.nodes.filter((node) => node.subnet === null).map((node) => ({ ip: node.ip, name: node.name }))
      : [],
    hostname: host.hostname,
    stopServices: [...new Set([...host.stopServices, ...packagedServices(topology)])],
    ...(host.timeSync === "keep" ? {} : { timeSync: host.timeSync }),
  };
}

/** The distribution's own nginx would listen on port 80; ours is kube-nginx.service. */
function packagedServices(topology: Topology): string[] {
  return topology.generation.daemons && topology.api.endpoint === "local-proxy" ? ["nginx.service"] : [];
}

function modules(topology: Topology): ModuleEntry[] {
  const { plugin, proxyMode } = topology.network;
  const { daemons } = topology.generation;
  const entry = (name: string, optional: boolean, roles = nodeRoles): ModuleEntry => ({
    name,
    optional,
    for: { roles: [...roles] },
  });
  return [
    entry("overlay", false),
    entry("br_netfilter", false),
    entry("nf_conntrack", true),
    ...(daemons ? proxyModules[proxyMode].map((name) => entry(name, true)) : []),
    ...(daemons && plugin.startsWith("flannel") ? [entry("vxlan", true)] : []),
    ...topology.cluster.host.modules.map((name) => entry(name, false, everywhere)),
  ];
}

function allSysctls(topology: Topology): SysctlEntry[] {
  const own = topology.cluster.host.sysctls;
  const usual = sysctls
    .filter(([key]) => !(key in own))
    // A kubelet that protects them takes no larger value either.
    .map(([key, value, policy]) => ({
      key,
      value,
      policy: isHardened({ topology }) && kernelDefaults.has(key) ? ("set" as const) : policy,
      for: { roles: [...nodeRoles] },
    }));
  const asked = Object.entries(own).map(([key, value]) => ({
    key,
    value,
    policy: "set" as const,
    for: { roles: [...everywhere] },
  }));
  return [...usual, ...asked];
}

/** IP protocols that have no ports. */
function protocols({ generation, api, network }: Topology): Pick<HostEntry["firewall"], "protocols"> {
  const entry = (protocol: number, role: Role) => ({ protocol, for: { roles: [role] } });
  if (!generation.daemons) return {};
  const found = [
    // IPIP, calico's tunnel.
    ...(network.plugin === "calico" ? [entry(4, "worker")] : []),
    // VRRP: of masters that do not hear each other, each takes the shared address.
    ...(api.endpoint === "vip" ? [entry(112, "master")] : []),
  ];
  return found.length === 0 ? {} : { protocols: found };
}

function ports(topology: Topology): HostEntry["firewall"]["ports"] {
  const { first, last } = topology.network.nodePorts;
  const entry = (
    port: string,
    role: Role,
    protocol: "tcp" | "udp" = "tcp",
  ): HostEntry["firewall"]["ports"][number] => ({
    port,
    protocol,
    for: { roles: [role] },
  });
  const etcd = [entry("2379-2380", "etcd")];
  if (!topology.generation.daemons) return etcd;
  return [
    ...etcd,
    entry(String(apiPort), "master"),
    ...(topology.api.endpoint === "vip" ? [entry(String(topology.api.balancerPort), "master")] : []),
    entry("10250", "worker"),
    ...(topology.network.plugin.startsWith("flannel") ? [entry("8472", "worker", "udp")] : []),
    ...(topology.network.plugin === "calico" ? [entry("179", "worker")] : []),
    ...(topology.addons.includes("metrics-server") && hasMasterOutside(topology)
      ? [entry(String(metricsHostPort), "worker")]
      : []),
    entry(`${first}-${last}`, "worker"),
    entry(`${first}-${last}`, "worker", "udp"),
  ];
}
