/** Who listens on this host: from /proc, so that no program needs to be there. */
import type { HostReader } from "../../host/host.ts";

export interface Listener {
  readonly port: number;
  readonly inode: string;
}

/** Sockets that listen (TCP) or are bound (UDP), on any address. */
export async function listeners(host: HostReader, protocol: "tcp" | "udp"): Promise<Listener[]> {
  const found: Listener[] = [];
  for (const table of [protocol, `${protocol}6`]) {
    const text = (await host.read(`/proc/net/${table}`)) ?? "";
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local = "", , state] = fields;
      // 0A: LISTEN; 07: a bound UDP socket without a peer.
      if (state !== (protocol === "tcp" ? "0A" : "07")) continue;
      found.push({ port: parseInt(local.split(":")[1] ?? "", 16), inode: fields[9] ?? "" });
    }
  }
  return found;
}

/** Who holds a socket, as far as a process does. */
export interface Holder {
  /** The systemd unit of the process; null where it is in none. */
  readonly unit: string | null;
  /** Whether it is in a pod's cgroup. */
  readonly pod: boolean;
}

/** Null: no process has it open, so it is the kernel's own. */
export async function holderOf(host: HostReader, inode: string): Promise<Holder | null> {
  const processes = (await host.list("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    for (const descriptor of await host.list(`/proc/${pid}/fd`)) {
      const stat = await host.stat(`/proc/${pid}/fd/${descriptor}`).catch(() => null);
      if (stat?.type === "symlink" && stat.target === `socket:[${inode}]`) return holderIn(host, pid);
    }
  }
  return null;
}

async function holderIn(host: HostReader, pid: string): Promise<Holder> {
  const text = (await host.read(`/proc/${pid}/cgroup`)) ?? "";
  const unit = /\/([^/\n]+\.(?:service|socket|scope))(?:\/|$)/m.exec(text)?.[1] ?? null;
  return { unit, pod: /\/kubepods(?:\.slice)?\//.test(text) };
}

/** The tunnel whose end is on this UDP port of the kernel: a name such as `flannel.1`. Null where none is known. */
export async function tunnelOn(host: HostReader, port: number): Promise<string | null> {
  const { stdout: links } = await host.query(["ip", "-d", "link", "show", "type", "vxlan"]);
  for (const link of links.split(/^(?=\d+: )/m)) {
    if (new RegExp(` dstport ${port} `).test(link)) return /^\d+: ([^:@\s]+)/.exec(link)?.[1] ?? null;
  }
  const { stdout: wireguards } = await host.query(["wg", "show", "all", "listen-port"]);
  return (
    wireguards
      .split("\n")
      .find((line) => line.endsWith(`\t${port}`))
      ?.split("\t")[0] ?? null
  );
}
