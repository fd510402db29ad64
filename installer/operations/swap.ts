/** Swap off, now and after a reboot: devices, fstab, systemd's swap units, zram. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { edit, type EditBefore, inspectEdit, takeBackEdit } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface SwapSpec {
  /** False with `--root`: fstab and unit masks only. */
  readonly live: boolean;
}

export interface SwapBefore {
  /** As in /proc/swaps. */
  readonly active: readonly { readonly device: string; readonly priority: number }[];
  readonly fstab: EditBefore;
  /** Swap units of no line of fstab (found by systemd on a disk's partition table, or zram's), and zram services; not masked yet. */
  readonly units: readonly string[];
}

const fstab = "/etc/fstab";
const marker = "#kubeferry# ";
/** Services that set up compressed swap in memory by themselves. */
const zramServices = ["zramswap.service", "zram-config.service", "zram.service", "systemd-zram-setup@zram0.service"];

export const swap: Kind<SwapSpec, SwapBefore> = {
  resource: () => "swap",
  describe: () => "swap off, now and after a reboot",
  async inspect(host, { live }) {
    return {
      active: live ? activeSwaps((await host.read("/proc/swaps")) ?? "") : [],
      fstab: await inspectEdit(host, fstab),
      units: live ? await unmasked(host, await swapUnits(host)) : [],
    };
  },
  forward({ live }, before) {
    const masks = before.units.map((name): Effect => ({ do: "symlink", path: maskOf(name), target: "/dev/null" }));
    const changes = [...edit(fstab, before.fstab, comment(before.fstab)), ...masks];
    const off = before.active.map(({ device }): Effect => ({
      do: "run",
      argv: ["swapoff", device],
      timeoutSeconds: 1800,
    }));
    return [...off, ...changes, ...(live && changes.length > 0 ? [reload] : [])];
  },
  // After a boot other devices may be on than when the lines of fstab were recorded.
  resume: (before, now, begun) => (begun ? { ...before, active: now.active } : now),
  backward({ live }, before) {
    const changed = comment(before.fstab);
    const lines = swapLines(before.fstab?.text ?? "").map((line) => ({ from: marker + line, to: line }));
    const masks = before.units.map((name): Effect => ({ do: "remove", path: maskOf(name) }));
    const changes = [...takeBackEdit(fstab, before.fstab, changed, lines), ...masks];
    return [...changes, ...(live && changes.length > 0 ? [reload] : []), ...before.active.flatMap(swapOn)];
  },
};

const reload: Effect = { do: "run", argv: ["systemctl", "daemon-reload"] };
const maskOf = (name: string): string => `/etc/systemd/system/${name}`;

/** Highest priority first, as /proc/swaps had them; code 255 (busy) means that it is on already. */
function swapOn({ device, priority }: { device: string; priority: number }): Effect[] {
  const argv = ["swapon", ...(priority >= 0 ? ["-p", String(priority)] : []), device];
  return [{ do: "run", argv, accept: [0, 255] }];
}

/** The lines of fstab that are swap, without their line feeds. */
export function swapLines(text: string): string[] {
  return text.split("\n").filter((line) => !/^\s*#/.test(line) && line.trim().split(/\s+/)[2] === "swap");
}

function comment(before: EditBefore): string | null {
  if (before === null) return null;
  const swaps = new Set(swapLines(before.text));
  return before.text
    .split("\n")
    .map((line) => (swaps.has(line) ? marker + line : line))
    .join("\n");
}

/** Devices of /proc/swaps, the highest priority first; spaces are written as \040 there. */
export function activeSwaps(text: string): { device: string; priority: number }[] {
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
