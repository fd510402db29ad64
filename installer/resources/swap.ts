/** Swap off, now and after a reboot: devices, fstab, systemd's swap units, zram. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { mask, reload, unitFolder } from "../host/systemd.ts";
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import { isSame, type Resource } from "./resource.ts";

/** There is one of it on a host. */
export type SwapId = Readonly<Record<string, never>>;

interface Swap {
  readonly device: string;
  readonly priority: number;
}

export interface SwapState {
  /** As in /proc/swaps, the highest priority first; none with `--root`. */
  readonly active: readonly Swap[];
  readonly fstab: TextState;
  /** Swap units of no line of fstab (found by systemd on a disk's partition table, or zram's), and zram services; those not masked. */
  readonly units: readonly string[];
  /** Whether there is a systemd to be told. */
  readonly live: boolean;
}

const fstab = "/etc/fstab";
const marker = "#kubeferry# ";
/** Services that set up compressed swap in memory by themselves. */
const zramServices = ["zramswap.service", "zram-config.service", "zram.service", "systemd-zram-setup@zram0.service"];

export const swap: Resource<SwapId, SwapState> = {
  name: () => "swap",
  describe: () => "swap off, now and after a reboot",
  async inspect(host) {
    return {
      active: host.live ? activeSwaps((await host.read("/proc/swaps")) ?? "") : [],
      fstab: await inspectText(host, fstab),
      units: host.live ? await unmasked(host, await swapUnits(host)) : [],
      live: host.live,
    };
  },
  spec: (_, now) => ({ ...now, active: [], fstab: edited(now.fstab, commented), units: [] }),
  equal: (a, b) => equalText(a.fstab, b.fstab) && isSame(names(a), names(b)) && isSame(a.units, b.units),
  steps(_, from, to) {
    const off = from.active
      .filter(({ device }) => !names(to).includes(device))
      .map(({ device }): Effect => ({ do: "run", argv: ["swapoff", device], timeoutSeconds: 1800 }));
    const on = to.active.filter(({ device }) => !names(from).includes(device)).map(swapOn);
    const changes = [
      ...editSteps(fstab, from.fstab, to.fstab, commented),
      ...from.units.filter((name) => !to.units.includes(name)).map((name) => mask(maskOf(name))),
      ...to.units
        .filter((name) => !from.units.includes(name))
        .map((name): Effect => ({ do: "remove", path: maskOf(name) })),
    ];
    return [...off, ...changes, ...(to.live && changes.length > 0 ? [reload] : []), ...on];
  },
  retires: () => null,
};

const maskOf = (name: string): string => `${unitFolder}/${name}`;
const names = ({ active }: SwapState): string[] => active.map(({ device }) => device);

/** Code 255 (busy) means that it is on already. */
function swapOn({ device, priority }: Swap): Effect {
  const argv = ["swapon", ...(priority >= 0 ? ["-p", String(priority)] : []), device];
  return { do: "run", argv, accept: [0, 255] };
}

/** The lines of fstab that are swap, without their line feeds. */
export function swapLines(text: string): string[] {
  return text.split("\n").filter((line) => !/^\s*#/.test(line) && line.trim().split(/\s+/)[2] === "swap");
}

const commented: Edit = {
  apply(text) {
    const swaps = new Set(swapLines(text ?? ""));
    const mark = (line: string): string => (swaps.has(line) ? marker + line : line);
    return text === null ? null : text.split("\n").map(mark).join("\n");
  },
  lines: (before) => swapLines(before ?? "").map((line) => ({ from: marker + line, to: line })),
};

/** Devices of /proc/swaps, the highest priority first; spaces are written as \040 there. */
export function activeSwaps(text: string): Swap[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 5)
    .map((fields) => ({
      device: (fields[0] ?? "").replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(parseInt(octal, 8)),
      ),
      priority: Number(fields[4]),
    }))
    .toSorted((a, b) => b.priority - a.priority);
}

async function swapUnits(host: HostReader): Promise<string[]> {
  const listing = "systemctl list-units --type=swap --all --no-legend --plain --full".split(" ");
  const { code, stdout } = await host.query(listing);
  if (code !== 0) return [];
  const names = stdout.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  const found: string[] = [];
  for (const name of names.filter((text) => text.endsWith(".swap"))) {
    const { stdout: shown } = await host.query(["systemctl", "show", "-p", "FragmentPath,SourcePath", name]);
    // Without a file of its own it is only another name of a swap that the kernel has.
    if (/^FragmentPath=./m.test(shown) && !shown.includes(`SourcePath=${fstab}`)) found.push(name);
  }
  for (const name of zramServices) {
    const { stdout: state } = await host.query(["systemctl", "is-active", name]);
    if (state.trim() === "active") found.push(name);
  }
  return found.toSorted();
}

/** Names of units at whose place for a mask nothing stands. */
async function unmasked(host: HostReader, names: readonly string[]): Promise<string[]> {
  const free: string[] = [];
  for (const name of names) if ((await host.stat(maskOf(name))) === null) free.push(name);
  return free;
}
