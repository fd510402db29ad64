/** What the host must be before files are placed: directories, names, kernel, swap. */
import { operation } from "../operations/catalogue.ts";
import { unitName } from "../operations/service.ts";
import type { Operation, Phase } from "../operations/operation.ts";
import { directories } from "./directories.ts";
import { chosen, type PlanInput } from "./input.ts";

/** Kernel modules that bring sysctl keys: such a key is missing until its module is loaded. */
const bringers: readonly [prefix: string, module: string][] = [
  ["net.bridge.", "br_netfilter"],
  ["net.netfilter.nf_conntrack", "nf_conntrack"],
  ["net.nf_conntrack", "nf_conntrack"],
  ["net.ipv4.vs.", "ip_vs"],
];

export function prepare(input: PlanInput): Phase[] {
  return [
    { name: "directories", operations: directories(input), gates: [] },
    {
      name: "prepare",
      operations: [...names(input), ...services(input), ...kernel(input), ...swap(input), ...guards(input)],
      gates: [],
    },
  ];
}

function names({ index, owner: given, selection, live }: PlanInput): Operation[] {
  const owner = given ?? { uid: 0, gid: 0 };
  const { hosts } = index.host;
  return [
    ...(index.host.hostname ? [operation("hostname", { name: selection.name, live, owner })] : []),
    ...(hosts.length > 0 ? [operation("hosts", { entries: hosts, owner })] : []),
  ];
}

/** A service of the host's own that is to stop; one that the bundle brings itself is not foreign. */
function services({ index, selection, live }: PlanInput): Operation[] {
  const own = new Set(chosen(index.units, selection).map(({ name }) => name));
  const walls = index.host.firewall.mode === "disable" ? ["firewalld", "ufw", "nftables"] : [];
  return [...new Set([...index.host.stopServices, ...walls].map((name) => unitName(name)))]
    .filter((name) => !own.has(name))
    .map((name) => operation("service", { name, live }));
}

function guards({ index, selection, live }: PlanInput): Operation[] {
  const { selinux, firewall } = index.host;
  const ports = [...new Set(chosen(firewall.ports, selection).map(({ port, protocol }) => `${port}/${protocol}`))];
  const opens = firewall.mode === "open-ports" && live;
  return [
    ...(selinux === "keep" ? [] : [operation("selinux", { mode: selinux, live })]),
    ...(opens ? [operation("firewall", { ports }), operation("nftables", { ports })] : []),
  ];
}

/** Only a running kernel has modules and values; what holds after a boot is in files of the bundle. */
function kernel({ index, selection, live }: PlanInput): Operation[] {
  if (!live) return [];
  const modules = chosen(index.host.modules, selection);
  const sysctls = chosen(index.host.sysctls, selection);
  return [
    ...modules.map(({ name, optional }) => operation("module", { name, optional })),
    ...sysctls.map(({ key, value, policy }) => {
      const broughtBy = bringerOf(
        key,
        modules.map(({ name }) => name),
      );
      return operation("sysctl", { key, value, policy, broughtBy });
    }),
  ];
}

/** Which of `modules` brings a key; null where none does. */
export function bringerOf(key: string, modules: readonly string[]): string | null {
  const bringer = bringers.find(([prefix]) => key.startsWith(prefix))?.[1];
  return bringer !== undefined && modules.includes(bringer) ? bringer : null;
}

function swap({ index, live }: PlanInput): Operation[] {
  return index.host.swap === "off" ? [operation("swap", { live })] : [];
}
