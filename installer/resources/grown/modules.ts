/** Kernel modules that were loaded because a daemon used them: as far as nobody uses them any more. */
import type { Effect } from "../../host/effect.ts";
import { grown } from "./grown.ts";

export interface ModulesState {
  /** As in /proc/modules. */
  readonly modules: readonly {
    readonly name: string;
    /** All who use it, and those of them that are modules. */
    readonly uses: number;
    readonly users: readonly string[];
  }[];
}

/** What containers and their networks take; a stick's driver that was loaded since is none of ours. */
const known =
  /^(overlay|veth|bridge|stp|llc|br_netfilter|dummy|vxlan|udp_tunnel|ip6_udp_tunnel|ipip|ip_tunnel|tunnel4|wireguard|ip_vs.*|ip_set.*|x_tables|xt_.*|ipt_.*|ip6t_.*|ip_tables|ip6_tables|iptable_.*|ip6table_.*|ebtables|ebtable_.*|nf_.*|nft_.*|nfnetlink.*|libcrc32c|crc32c_generic|cls_.*|sch_.*|act_.*|xfrm_.*)$/;

export const modules = grown<Record<string, never>, ModulesState>({
  name: () => "kernel modules that daemons use",
  untilBoot: true,
  async inspect(host) {
    return { modules: host.live ? parseModules((await host.read("/proc/modules")) ?? "") : [] };
  },
  steps(_id, now, before) {
    const old = new Set(before.modules.map(({ name }) => name));
    let left = now.modules.filter(({ name }) => !old.has(name) && known.test(name));
    const gone: string[] = [];
    for (;;) {
      const free = left.filter(
        ({ uses, users }) => uses === users.length && users.every((user) => gone.includes(user)),
      );
      if (free.length === 0) break;
      gone.push(...free.map(({ name }) => name));
      left = left.filter(({ name }) => !gone.includes(name));
    }
    // Not modprobe, which also takes away what the module needed, and who knows since when that is there.
    return gone.map((name): Effect => ({ do: "run", argv: ["rmmod", name], accept: [0, 1] }));
  },
});

/** `nf_nat 57344 2 xt_nat,nft_chain_nat, Live 0x0` */
export function parseModules(text: string): ModulesState["modules"] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uses = "", users = ""] = line.split(" ");
    if (name === "") return [];
    return [{ name, uses: Number(uses), users: users.split(",").filter((user) => user !== "" && user !== "-") }];
  });
}
