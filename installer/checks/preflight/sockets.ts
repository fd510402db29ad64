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

/** The systemd unit whose process holds a socket; null where it cannot be told. */
export async function unitOfSocket(host: HostReader, inode: string): Promise<string | null> {
  const processes = (await host.list("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    for (const descriptor of await host.list(`/proc/${pid}/fd`)) {
      const stat = await host.stat(`/proc/${pid}/fd/${descriptor}`).catch(() => null);
      if (stat?.type === "symlink" && stat.target === `socket:[${inode}]`) return unitOfProcess(host, pid);
    }
  }
  return null;
}

async function unitOfProcess(host: HostReader, pid: string): Promise<string | null> {
  const text = (await host.read(`/proc/${pid}/cgroup`)) ?? "";
  return /\/([^/\n]+\.(?:service|socket|scope))(?:\/|$)/m.exec(text)?.[1] ?? null;
}
