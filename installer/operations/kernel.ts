/** The running kernel: modules and sysctl keys. What holds after a reboot is in ordinary files of the bundle. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Kind } from "./operation.ts";

export interface ModuleSpec {
  readonly name: string;
  readonly optional: boolean;
}

export interface ModuleBefore {
  readonly loaded: boolean;
  readonly available: boolean;
  /** Modules that are loaded with it because it needs them, and that were not there, in the order of loading. */
  readonly brings: readonly string[];
}

export const module: Kind<ModuleSpec, ModuleBefore> = {
  resource: ({ name }) => `module ${name}`,
  describe: ({ name }) => `kernel module ${name}`,
  async inspect(host, { name }) {
    if (await isLoaded(host, name)) return { loaded: true, available: true, brings: [] };
    const release = (await host.read("/proc/sys/kernel/osrelease"))?.trim() ?? "";
    // Parts of the kernel itself that take no parameters have no folder in /sys/module.
    const builtIn = (await host.read(`/lib/modules/${release}/modules.builtin`)) ?? "";
    if (builtIn.split("\n").some((line) => line.endsWith(`/${name}.ko`)))
      return { loaded: true, available: true, brings: [] };
    const { code, stdout } = await host.query(["modprobe", "--show-depends", name]);
    const needed = [...stdout.matchAll(/^insmod \S*\/([^/\s]+)\.ko/gm)].map((match) => match[1] ?? "").slice(0, -1);
    const brings: string[] = [];
    for (const one of needed) if (!(await isLoaded(host, one))) brings.push(one);
    return { loaded: false, available: code === 0, brings };
  },
  forward({ name, optional }, before) {
    return before.loaded || (optional && !before.available) ? [] : [{ do: "run", argv: ["modprobe", name] }];
  },
  backward({ name }, before) {
    if (before.loaded) return [];
    // modprobe takes away only some of what a module needed. Code 1: something else uses it by now; harmless, and gone
    // with the next boot.
    return [name, ...before.brings.toReversed()].map((one): Effect => ({
      do: "run",
      argv: ["modprobe", "-r", one],
      accept: [0, 1],
    }));
  },
};

async function isLoaded(host: HostReader, name: string): Promise<boolean> {
  return (await host.stat(`/sys/module/${name.replaceAll("-", "_")}`)) !== null;
}

export interface SysctlSpec {
  /** `net.ipv4.ip_forward` */
  readonly key: string;
  readonly value: string;
  /** `raise`: a larger number that the host already has is left alone. */
  readonly policy: "set" | "raise";
  /** The module of this plan that brings the key; null: a kernel without the key is left alone. */
  readonly broughtBy: string | null;
}

/** Null: the kernel has no such key, yet or at all. */
export type SysctlBefore = string | null;

export const sysctl: Kind<SysctlSpec, SysctlBefore> = {
  resource: ({ key }) => `sysctl ${key}`,
  describe: ({ key, value }) => `sysctl ${key} = ${value}`,
  async inspect(host, { key }) {
    const text = await host.read(sysctlPath(key));
    return text === null ? null : text.trim().replaceAll(/\s+/g, " ");
  },
  forward({ key, value, policy, broughtBy }, before) {
    const path = sysctlPath(key);
    if (before === null) return broughtBy === null ? [] : [{ do: "set", path, value, optional: true }];
    if (before === value.trim().replaceAll(/\s+/g, " ")) return [];
    if (policy === "raise" && isNumber(before) && isNumber(value) && BigInt(before) >= BigInt(value)) return [];
    return [{ do: "set", path, value }];
  },
  backward({ key }, before) {
    // Its module may be gone by now, and the key with it.
    return before === null ? [] : [{ do: "set", path: sysctlPath(key), value: before, optional: true }];
  },
};

const isNumber = (text: string): boolean => /^\d+$/.test(text.trim());

/** As sysctl(8) reads a key: with the first separator `/`, dots are literal; otherwise dots separate and `/` is a dot. */
export function sysctlPath(key: string): string {
  const slashed = /^[^./]*\//.test(key);
  const swapped = slashed ? key : key.replaceAll(/[./]/g, (separator) => (separator === "." ? "/" : "."));
  return `/proc/sys/${swapped}`;
}
