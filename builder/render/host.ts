/** What a host must be before anything starts: kernel modules, sysctls, swap, names, ports. */
import type { HostEntry, ModuleEntry, Role, SysctlEntry } from "#bundle";
import { kernelDefaults } from "../config/kernel-defaults.ts";
import { hasFamily, type Topology } from "../config/topology.ts";
import type { HostNeeds } from "../components/component.ts";
import { kubernetes } from "../components/context.ts";
import { isHardened } from "../components/profile.ts";
import { ofCluster } from "./walk.ts";

type Policy = SysctlEntry["policy"];
/** Of a component, and on which nodes. */
type Needs = HostNeeds & { readonly for: { roles: Role[] } };

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

/** Where there is IPv6. */
const sysctls6: typeof sysctls = [
  ["net.ipv6.conf.all.forwarding", "1", "set"],
  ["net.ipv6.neigh.default.gc_thresh1", "1024", "raise"],
  ["net.ipv6.neigh.default.gc_thresh2", "2048", "raise"],
  ["net.ipv6.neigh.default.gc_thresh3", "4096", "raise"],
];

export function hostEntry(topology: Topology): HostEntry {
  const { host } = topology.cluster;
  const needs = ofCluster({ topology }).map((component): Needs => ({
    ...component.host?.(topology),
    for: { roles: [...component.roles] },
  }));
  return {
    modules: modules(topology, needs),
    sysctls: allSysctls(topology),
    swap: host.swap,
    selinux: host.selinux,
    firewall: { mode: host.firewall, ports: ports(topology, needs), ...protocols(needs) },
    hosts: host.hosts
      ? topology.nodes
          .filter((node) => node.subnet === null)
          .flatMap(({ name, ips }) => ips.map((ip) => ({ ip, name })))
      : [],
    hostname: host.hostname,
    stopServices: [...new Set([...host.stopServices, ...needs.flatMap(({ stopServices = [] }) => stopServices)])],
    ...(host.timeSync === "keep" ? {} : { timeSync: host.timeSync }),
  };
}

function modules(topology: Topology, needs: readonly Needs[]): ModuleEntry[] {
  const entry = (name: string, optional: boolean, roles = nodeRoles): ModuleEntry => ({
    name,
    optional,
    for: { roles: [...roles] },
  });
  return [
    entry("overlay", false),
    entry("br_netfilter", false),
    entry("nf_conntrack", true),
    ...needs.flatMap(({ modules = [], for: { roles } }) => modules.map((name) => entry(name, true, roles))),
    ...topology.cluster.host.modules.map((name) => entry(name, false, everywhere)),
  ];
}

function allSysctls(topology: Topology): SysctlEntry[] {
  const own = topology.cluster.host.sysctls;
  const usual = [...sysctls, ...sysctls6]
    .filter(([key]) => !(key in own) && isUsed(key, topology))
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

/** `net.ipv4` is of no use to a cluster with IPv6 alone, nor the other way round. */
function isUsed(key: string, topology: Topology): boolean {
  if (key.startsWith("net.ipv4.")) return hasFamily(topology, "ipv4");
  return !key.startsWith("net.ipv6.") || hasFamily(topology, "ipv6");
}

function protocols(needs: readonly Needs[]): Pick<HostEntry["firewall"], "protocols"> {
  const found = needs
    .flatMap(({ protocols = [], ...rest }) => protocols.map((protocol) => ({ protocol, for: rest.for })))
    .toSorted((a, b) => a.protocol - b.protocol);
  return found.length === 0 ? {} : { protocols: found };
}

/** Those of components, and the node ports of services. */
function ports(topology: Topology, needs: readonly Needs[]): HostEntry["firewall"]["ports"] {
  const { first, last } = topology.network.nodePorts;
  return [
    ...needs.flatMap(({ ports = [], ...rest }) => ports.map((port) => ({ ...port, for: rest.for }))),
    ...(kubernetes({ topology }) ? (["tcp", "udp"] as const) : []).map((protocol) => ({
      port: `${first}-${last}`,
      protocol,
      for: { roles: [...nodeRoles] },
    })),
  ];
}
