/** The running kernel: modules and sysctl keys. What holds after a reboot is in ordinary files of the bundle. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isSame, type Resource, type Unknown } from "./resource.ts";

export interface ModuleId {
  readonly name: string;
  readonly optional: boolean;
}

export interface ModuleState {
  /** Of the module and those that it needs: which are loaded, in the order of loading. */
  readonly loaded: readonly string[];
  /** All of them; empty where the kernel has no such module. */
  readonly chain: readonly string[];
}

const notRunning: Unknown = { unknown: "the host does not run" };

export const module: Resource<ModuleId, ModuleState> = {
  name: ({ name }) => `module ${name}`,
  describe: ({ name }) => `kernel module ${name}`,
  async inspect(host, { name }) {
    if (!host.live) return notRunning;
    const release = (await host.read("/proc/sys/kernel/osrelease"))?.trim() ?? "";
    // Parts of the kernel itself that take no parameters have no folder in /sys/module.
    const builtIn = (await host.read(`/lib/modules/${release}/modules.builtin`)) ?? "";
    if (builtIn.split("\n").some((line) => line.endsWith(`/${name}.ko`))) return { loaded: [name], chain: [name] };
    // A kernel that loads none has what was built into it, and has no file that says what that is.
    if ((await host.read("/proc/modules")) === null) return { loaded: [name], chain: [name] };
    const { code, stdout } = await host.query(["modprobe", "--show-depends", name]);
    const listed = [...stdout.matchAll(/^insmod \S*\/([^/\s]+)\.ko/gm)].map((match) => match[1] ?? "");
    // The last one is the module itself, be it with - or _; of a kernel that was replaced since there may be no file.
    const chain = code === 0 || (await isLoaded(host, name)) ? [...listed.slice(0, -1), name] : [];
    const loaded: string[] = [];
    for (const one of chain) if (await isLoaded(host, one)) loaded.push(one);
    return { loaded, chain };
  },
  spec: ({ name, optional }, now) =>
    now.loaded.includes(name) || (optional && now.chain.length === 0)
      ? now
      : { ...now, loaded: now.chain.length === 0 ? [name] : now.chain },
  equal: (a, b) => isSame(a.loaded, b.loaded),
  steps({ name }, from, to) {
    if (to.loaded.includes(name)) return from.loaded.includes(name) ? [] : [{ do: "run", argv: ["modprobe", name] }];
    // modprobe takes away only some of what a module needed. Code 1: something else uses it by now; harmless, and gone
    // with the next boot.
    const gone = from.loaded.filter((one) => !to.loaded.includes(one)).toReversed();
    return gone.map((one): Effect => ({ do: "run", argv: ["modprobe", "-r", one], accept: [0, 1] }));
  },
  // It stays with a key that it brings and that is still wanted.
  givesBack: ({ name }, before, { goals }) =>
    goals.some(({ resource, id }) => resource === "sysctl" && bringerOf((id as SysctlId).key, [name]) !== null)
      ? undefined
      : before,
};

async function isLoaded(host: HostReader, name: string): Promise<boolean> {
  return (await host.stat(`/sys/module/${name.replaceAll("-", "_")}`)) !== null;
}

export interface SysctlId {
  /** `net.ipv4.ip_forward` */
  readonly key: string;
  readonly value: string;
  /** `raise`: a larger number that the host already has is left alone. */
  readonly policy: "set" | "raise";
  /** The module of this plan that brings the key; null: a kernel without the key is left alone. */
  readonly broughtBy: string | null;
}

/** Null: the kernel has no such key, yet or at all. */
export type SysctlState = string | null;

export const sysctl: Resource<SysctlId, SysctlState> = {
  name: ({ key }) => `sysctl ${key}`,
  describe: ({ key, value }) => `sysctl ${key} = ${value}`,
  async inspect(host, { key }) {
    if (!host.live) return notRunning;
    const text = await host.read(sysctlPath(key));
    return text === null ? null : plain(text);
  },
  spec({ value, policy, broughtBy }, now) {
    if (now === null) return broughtBy === null ? null : plain(value);
    const isEnough = policy === "raise" && isNumber(now) && isNumber(value) && BigInt(now) >= BigInt(value);
    return isEnough ? now : plain(value);
  },
  equal: (a, b) => a === b,
  steps({ key }, from, to) {
    // A key that was not there comes and goes with its module.
    if (to === null || to === from) return [];
    const path = sysctlPath(key);
    return [from === null ? { do: "set", path, value: to, optional: true } : { do: "set", path, value: to }];
  },
};

/** Kernel modules that bring sysctl keys: such a key is missing until its module is loaded. */
const bringers: readonly [prefix: string, module: string][] = [
  ["net.bridge.", "br_netfilter"],
  ["net.netfilter.nf_conntrack", "nf_conntrack"],
  ["net.nf_conntrack", "nf_conntrack"],
  ["net.ipv4.vs.", "ip_vs"],
];

/** Which of `modules` brings a key; null where none does. */
export function bringerOf(key: string, modules: readonly string[]): string | null {
  const bringer = bringers.find(([prefix]) => key.startsWith(prefix))?.[1];
  return bringer !== undefined && modules.includes(bringer) ? bringer : null;
}

const plain = (text: string): string => text.trim().replaceAll(/\s+/g, " ");
const isNumber = (text: string): boolean => /^\d+$/.test(text.trim());

/** As sysctl(8) reads a key: with the first separator `/`, dots are literal; otherwise dots separate and `/` is a dot. */
export function sysctlPath(key: string): string {
  const slashed = /^[^./]*\//.test(key);
  const swapped = slashed ? key : key.replaceAll(/[./]/g, (separator) => (separator === "." ? "/" : "."));
  return `/proc/sys/${swapped}`;
}
