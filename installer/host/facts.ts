/** What Kubeferry needs to know about a host before it plans anything. Reads only. */
import { arch, cpus, hostname, networkInterfaces, release, totalmem } from "node:os";
import type { Platform } from "#bundle";
import { type Distribution, parseOsRelease } from "#formats/os-release";
import type { HostReader } from "./host.ts";

export interface Facts {
  readonly live: boolean;
  readonly platform: Platform | null;
  readonly uid: number;
  readonly gid: number;
  readonly distribution: Distribution;
  readonly kernel: string;
  readonly hostname: string;
  readonly systemd: boolean;
  readonly cgroup: 1 | 2 | null;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly interfaces: readonly { readonly name: string; readonly address: string; readonly cidr: string }[];
  /** Of SELinux; null where the kernel has none. */
  readonly selinux: "enforcing" | "permissive" | null;
}

/** With `--root` the tree's own files are read; the kernel's and the hardware's values are this machine's. */
export async function gatherFacts(host: HostReader): Promise<Facts> {
  const name = (await host.read("/etc/hostname"))?.trim();
  const enforce = host.live ? await host.read("/sys/fs/selinux/enforce") : null;
  return {
    live: host.live,
    platform: platformOf(arch()),
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    distribution: await distributionOf(host),
    kernel: release(),
    hostname: host.live ? hostname() : (name ?? ""),
    systemd: host.live && (await host.stat("/run/systemd/system"))?.type === "directory",
    cgroup: host.live ? await cgroupVersion(host) : null,
    memoryBytes: totalmem(),
    cpus: cpus().length,
    interfaces: host.live ? addresses() : [],
    selinux: enforce === null ? null : enforce.trim() === "1" ? "enforcing" : "permissive",
  };
}

function platformOf(machine: string): Platform | null {
  const names: Record<string, Platform> = { x64: "linux/amd64", arm64: "linux/arm64" };
  return names[machine] ?? null;
}

/** /usr/lib has it where /etc does not: in a tree that was never booted. */
export async function distributionOf(host: HostReader): Promise<Distribution> {
  return parseOsRelease((await host.read("/etc/os-release")) ?? (await host.read("/usr/lib/os-release")) ?? "");
}

async function cgroupVersion(host: HostReader): Promise<1 | 2 | null> {
  if ((await host.stat("/sys/fs/cgroup/cgroup.controllers")) !== null) return 2;
  return (await host.stat("/sys/fs/cgroup/memory")) === null ? null : 1;
}

function addresses(): Facts["interfaces"] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? [])
      // Those of IPv6 that hold on one link only have its number.
      .filter((one) => one.family === "IPv4" || one.scopeid === 0)
      .map(({ address, cidr }) => ({ name, address, cidr: cidr ?? address })),
  );
}
