/** The processes of a running host, from /proc. */
import type { HostReader } from "./host.ts";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Start time in clock ticks since boot: with the pid it names one process. */
  readonly started: string;
  readonly argv: readonly string[];
  /** Its cgroup in each hierarchy: `/system.slice/containerd.service`. */
  readonly cgroups: readonly string[];
}

/** All of them but the kernel's own threads and zombies; one that ends while it is looked at is left out. */
export async function processes(host: HostReader): Promise<Process[]> {
  if (!host.live) return [];
  const pids = (await host.list("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((name) => processOf(host, name)));
  return found.filter((one) => one !== null);
}

async function processOf(host: HostReader, name: string): Promise<Process | null> {
  const argv = ((await host.read(`/proc/${name}/cmdline`)) ?? "").split("\0").slice(0, -1);
  if (argv.length === 0) return null;
  const stat = parseStat((await host.read(`/proc/${name}/stat`)) ?? "");
  const cgroups = ((await host.read(`/proc/${name}/cgroup`)) ?? "").split("\n").flatMap((line) => {
    const path = line.split(":").slice(2).join(":");
    return path === "" ? [] : [path];
  });
  return stat === null ? null : { pid: Number(name), ...stat, argv, cgroups: [...new Set(cgroups)] };
}

/** Of /proc/PID/stat; null for a zombie and for no process. The name in field 2 may hold spaces and brackets. */
export function parseStat(text: string): Pick<Process, "parent" | "started"> | null {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = ""] = fields;
  const started = fields[19];
  return started === undefined || state === "Z" || state === "X" ? null : { parent: Number(parent), started };
}

/** These and everything that they started. */
export function withDescendants(roots: readonly Process[], all: readonly Process[]): Set<Process> {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = new Set<Process>();
  const queue = [...roots];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...(children.get(next.pid) ?? []));
  }
  return found;
}
