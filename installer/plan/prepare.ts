/** What the host must be before files are placed: directories, names, kernel, swap. */
import { goal } from "../resources/catalogue.ts";
import { bringerOf } from "../resources/kernel.ts";
import { inFamily } from "../resources/nftables.ts";
import type { Goal, Phase } from "../resources/resource.ts";
import { unitName } from "../host/systemd.ts";
import { directories } from "./directories.ts";
import { chosen, type PlanInput } from "./input.ts";
import { openings } from "./openings.ts";

export function prepare(input: PlanInput): Phase[] {
  return [
    { name: "directories", goals: directories(input), gates: [] },
    {
      name: "prepare",
      goals: [...names(input), ...services(input), ...kernel(input), ...swap(input), ...security(input)],
      gates: [],
    },
  ];
}

function names({ index, owner: given, selection }: PlanInput): Goal[] {
  const owner = given ?? { uid: 0, gid: 0 };
  const { hosts } = index.host;
  return [
    ...(index.host.hostname ? [goal("hostname", { name: selection.name, owner })] : []),
    ...(hosts.length > 0
      ? [goal("block", { path: "/etc/hosts", lines: hosts.map(({ ip, name }) => `${ip} ${name}`), owner })]
      : []),
  ];
}

/** A service of the host's own that is to stop; one that the bundle brings itself is not foreign. */
function services({ index, selection }: PlanInput): Goal[] {
  const own = new Set(chosen(index.units, selection).map(({ name }) => name));
  const walls = index.host.firewall.mode === "disable" ? ["firewalld", "ufw", "nftables"] : [];
  const brought = new Set(chosen(index.packages, selection).map(({ name }) => unitName(name)));
  return [...new Set([...index.host.stopServices, ...walls].map((name) => unitName(name)))]
    .filter((name) => !own.has(name))
    .map((name) => goal("service", brought.has(name) ? { name, comes: true } : { name }));
}

function security({ index, selection, live }: PlanInput): Goal[] {
  const { selinux, firewall } = index.host;
  const ports = openings(index, selection);
  const opens = firewall.mode === "open-ports" && live;
  return [
    ...(selinux === "keep" ? [] : [goal("selinux", { mode: selinux })]),
    ...(opens ? [goal("firewall", { ports }), goal("nftables", { ports, ...inFamily(selection.ip) })] : []),
  ];
}

/** Only a running kernel has modules and values; what holds after a boot is in files of the bundle. */
function kernel({ index, selection, live }: PlanInput): Goal[] {
  if (!live) return [];
  const modules = chosen(index.host.modules, selection);
  const sysctls = chosen(index.host.sysctls, selection);
  return [
    ...modules.map(({ name, optional }) => goal("module", { name, optional })),
    ...sysctls.map(({ key, value, policy }) => {
      const broughtBy = bringerOf(
        key,
        modules.map(({ name }) => name),
      );
      return goal("sysctl", { key, value, policy, broughtBy });
    }),
  ];
}

function swap({ index }: PlanInput): Goal[] {
  return index.host.swap === "off" ? [goal("swap", {})] : [];
}
