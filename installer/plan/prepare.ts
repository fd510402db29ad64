/** What the host must be before files are placed: directories, names, kernel, swap. */
import { operation } from "../operations/catalogue.ts";
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
    { name: "prepare", operations: [...names(input), ...kernel(input), ...swap(input)], gates: [] },
  ];
}

function names({ index, owner }: PlanInput): Operation[] {
  const { hosts } = index.host;
  if (hosts.length === 0) return [];
  return [operation("hosts", { entries: hosts, owner: owner ?? { uid: 0, gid: 0 } })];
}

/** Only a running kernel has modules and values; what holds after a boot is in files of the bundle. */
function kernel({ index, selection, live }: PlanInput): Operation[] {
  if (!live) return [];
  const modules = chosen(index.host.modules, selection);
  const sysctls = chosen(index.host.sysctls, selection);
  return [
    ...modules.map(({ name, optional }) => operation("module", { name, optional })),
    ...sysctls.map(({ key, value, policy }) => {
      const bringer = bringers.find(([prefix]) => key.startsWith(prefix))?.[1];
      const broughtBy = modules.some(({ name }) => name === bringer) ? (bringer ?? null) : null;
      return operation("sysctl", { key, value, policy, broughtBy });
    }),
  ];
}

function swap({ index, live }: PlanInput): Operation[] {
  return index.host.swap === "off" ? [operation("swap", { live })] : [];
}
