/** Mistakes in cluster.yaml, each by what is written instead of what: all are told by `kubeferry build cluster.yaml`, with their place. */
import { clusterYaml } from "./desk.ts";

/** What is written, instead of what (null: at the end), the place, what is said of it, and another code than CONFIG_INVALID. */
export type Slip = readonly [written: string, instead: string | null, place: string, says: string, code?: string];

export const slips: readonly Slip[] = [
  ["\t- { name: w1", "  - { name: w1", "5:1", "a tab cannot indent; use spaces", "CONFIG_SYNTAX"],
  ["roles: [worker }", "roles: [worker] }", "5:47", "not YAML: ", "CONFIG_SYNTAX"],
  ["name: plant-8\n", null, "8:1", "this key is already there", "CONFIG_SYNTAX"],
  ["", clusterYaml, "1:1", "the file wants a mapping"],
  ["wokers:", "workers:", "6:1", "unknown key `wokers`; did you mean `workers`?"],
  ["name: Plant 7", "name: plant-7", "1:7", "wants a lower-case RFC 1123 name"],
  ["ip: 127.0.0.1", "ip: 10.0.0.12", "5:21", "127.0.0.1 is the loopback of every host"],
  ["ip: 0.0.0.0", "ip: 10.0.0.12", "5:21", "0.0.0.0 means this very host"],
  ["ip: 10.0.0.12/24", "ip: 10.0.0.12", "5:21", "wants an IPv4 or IPv6 address"],
  ["ip: w1.plant.local", "ip: 10.0.0.12", "5:21", 'found "w1.plant.local"'],
  ["ip: 10.0.0.11, roles: [worker]", "ip: 10.0.0.12, roles: [worker]", "5:21", "is already that of nodes.0"],
  ["name: m1, ip: 10.0.0.12", "name: w1, ip: 10.0.0.12", "5:13", "is already that of nodes.0"],
  ["name: w_1", "name: w1", "5:13", "wants a lower-case RFC 1123 name, such as n1"],
  ["roles: [node]", "roles: [worker]", "5:40", "wants one of etcd, master, worker"],
  ["roles: worker", "roles: [worker]", "5:39", "wants a list"],
  ["[master, worker]", "[etcd, master, worker]", "3:1", "a master needs etcd"],
  ['iface: "eth0 eth1", roles: [worker]', "roles: [worker]", "5:39", "the name of one network interface"],
  ['labels: { zone: "a b" }, roles: [worker]', "roles: [worker]", "5:48", "a label's value"],
  ['taints: ["x=y"], roles: [worker]', "roles: [worker]", "5:41", "KEY=VALUE:EFFECT"],
  [
    "release: kubernetes-1.99",
    "release: ./release.yaml",
    "2:10",
    "there is no release kubernetes-1.99",
    "RELEASE_UNKNOWN",
  ],
  ["release: ./nosuch.yaml", "release: ./release.yaml", "2:10", "there is no release nosuch.yaml", "RELEASE_UNKNOWN"],
  ["release: 1.36", "release: ./release.yaml", "2:10", "wants text, in quotes, found 1.36"],
  ['api: { sans: [""] }\n', null, "8:15", "wants a DNS name or an IP address"],
  ["api: { endpoint: vip }\n", null, "8:18", "vip needs `api.vip` with address and interface"],
  ["host: { sysctls: { foo bar: 1 },", "host: {", "7:20", "wants a kernel setting, such as vm.max_map_count"],
  ["host: { modules: [br netfilter],", "host: {", "7:19", "wants the name of a kernel module"],
  ['host: { path: "yes",', "host: {", "7:15", "wants true or false"],
  ["directories: { containerd: /etc }\n", null, "8:28", "/etc is the host's own, no place for a daemon's data"],
  ["subnet: 10.0.0.0/44", "subnet: 10.0.0.0/24", "6:20", "wants an IPv4 or IPv6 network"],
  ["network: { pods: 10.0.0.0/16 }\n", null, "4:21", "10.0.0.11 is inside network.pods 10.0.0.0/16"],
  ["network: { pods: 172.30.7.1/16 }\n", null, "8:18", "wants 172.30.0.0/16"],
  ["network: { plugin: cilium }\n", null, "8:20", "wants one of flannel"],
  ['network: { nodePorts: "1000-7000" }\n', null, "8:23", "contains 6443 of the API server"],
  ["images: [{ name: Nginx:1.27 }]\n", null, "8:18", "is not the name of a container image"],
  ["packages: [chrony]\n", null, "8:12", "wants a mapping"],
  ["platforms: [linux/mips]\n", null, "8:13", "wants one of linux/amd64, linux/arm64"],
  ["runtime: podman\n", null, "8:10", "wants one of containerd, docker"],
  ["addons: [ingress]\n", null, "8:10", "has no addon ingress, it has"],
  ["certificates: { days: 9999, caDays: 365 }\n", null, "8:23", "no certificate outlives its CA"],
  ["flags: { kubelet: { network-plugin: cni } }\n", null, "8:37", "has no flag --network-plugin any more"],
  ["manifests: [nosuch.yaml]\n", null, "8:13", "cannot read nosuch.yaml: there is no such file"],
  [
    "files: [{ path: /etc/motd, source: nosuch, roles: [worker] }]\n",
    null,
    "8:36",
    "cannot read nosuch: there is no such",
  ],
];

/** What is only doubtful, and refused with --strict. */
export const doubts: readonly Slip[] = [
  ["roles: [etcd, worker]", "roles: [worker]", "3:1", "2 etcd members tolerate no failures; use 1 or 3"],
  [
    "api: { endpoint: vip, vip: { address: 192.168.7.10, interface: eth0 } }\n",
    null,
    "8:39",
    "192.168.7.10 is not in the /24 of any master",
  ],
  ["flags: { kubelet: { max-podz: 200 } }\n", null, "8:31", "did you mean `max-pods`?"],
];

/** cluster.yaml with the slip in it. */
export function slipped([written, instead]: Slip): string {
  if (instead === null) return clusterYaml + written;
  if (!clusterYaml.includes(instead)) throw new Error(`cluster.yaml has no ${instead}`);
  return clusterYaml.replace(instead, written);
}
