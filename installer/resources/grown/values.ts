/** Kernel values that the kubelet, kube-proxy, flannel and docker set by themselves. */
import type { Effect } from "../../host/effect.ts";
import { sysctlPath } from "../kernel.ts";
import { grown } from "./grown.ts";

/** Path → value; of keys that the kernel has. */
export type ValuesState = Readonly<Record<string, string>>;

const keys = [
  "vm.overcommit_memory",
  "vm.panic_on_oom",
  "kernel.panic",
  "kernel.panic_on_oops",
  "kernel.keys.root_maxbytes",
  "kernel.keys.root_maxkeys",
  "net.netfilter.nf_conntrack_max",
  "net.netfilter.nf_conntrack_tcp_be_liberal",
  "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
  "net.netfilter.nf_conntrack_tcp_timeout_established",
  "net.netfilter.nf_conntrack_udp_timeout",
  "net.netfilter.nf_conntrack_udp_timeout_stream",
  "net.ipv4.ip_forward",
  "net.ipv6.conf.all.forwarding",
  "net.ipv6.conf.default.forwarding",
  "net.ipv4.conf.all.route_localnet",
  "net.ipv4.conf.all.arp_ignore",
  "net.ipv4.conf.all.arp_announce",
  "net.ipv4.conf.all.rp_filter",
  "net.ipv4.vs.conntrack",
  "net.ipv4.vs.conn_reuse_mode",
  "net.ipv4.vs.expire_nodest_conn",
  "net.ipv4.vs.expire_quiescent_template",
  "net.bridge.bridge-nf-call-iptables",
  "net.bridge.bridge-nf-call-ip6tables",
];
const paths = [...keys.map((key) => sysctlPath(key)), "/sys/module/nf_conntrack/parameters/hashsize"];

export const values = grown<Record<string, never>, ValuesState>({
  name: () => "kernel values that daemons set",
  async inspect(host) {
    if (!host.live) return {};
    const found: [string, string][] = [];
    for (const path of paths) {
      const text = await host.read(path);
      if (text !== null) found.push([path, text.trim()]);
    }
    return Object.fromEntries(found);
  },
  // A key that came with a module goes with it.
  steps: (_id, now, before) =>
    Object.entries(before).flatMap(([path, value]): Effect[] =>
      now[path] === undefined || now[path] === value ? [] : [{ do: "set", path, value, optional: true }],
    ),
});
