/**
 * Cgroups of containers: one below the root of cgroup2, by which all its processes are ended, and for a container that runs
 * pods one in each hierarchy of the first version as well, since there this machine has the controllers that kubelets want.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../../scripts/vm/command.ts";

/** Where cgroups of the second version are mounted. */
export function cgroups(): string {
  const [path] = mounted("cgroup2");
  if (path === undefined) throw new Error("this machine mounts no cgroup2");
  return path;
}

/** Makes the cgroup `path` (`a/b`): its folders, that of systemd's own hierarchy first. */
export function makeCgroup(path: string, withControllers: boolean): string[] {
  if (withControllers && controllers().length === 0)
    throw new Error("pods in containers were never tried on a machine with its controllers in cgroup2");
  const roots = withControllers ? [...controllers(), cgroups()] : [cgroups()];
  return roots.map((root) => {
    const folder = join(root, path);
    mkdirSync(folder, { recursive: true });
    // Nothing can run in a cpuset until somebody says where, from the top down.
    for (const each of [dirname(folder), folder]) {
      for (const name of ["cpuset.cpus", "cpuset.mems"]) {
        if (existsSync(join(each, name))) writeFileSync(join(each, name), readFileSync(join(dirname(each), name)));
      }
    }
    return folder;
  });
}

/** Ends every process of the cgroup `path` and takes it away with all below it, in every hierarchy. */
export async function endCgroup(path: string): Promise<void> {
  const own = join(cgroups(), path);
  if (existsSync(own)) {
    writeFileSync(join(own, "cgroup.kill"), "1");
    const events = join(own, "cgroup.events");
    while (/^populated 1$/m.test(readFileSync(events, "utf8"))) await sleep(20);
  }
  for (const root of [cgroups(), ...controllers()]) {
    const folder = join(root, path);
    if (existsSync(folder)) await command(["find", folder, "-depth", "-type", "d", "-delete"]);
  }
}

/** Names of the cgroups at the top. */
export function topCgroups(): string[] {
  return readdirSync(cgroups());
}

/** Where the hierarchies of the first version are mounted, systemd's own first. */
export function controllers(): string[] {
  return mounted("cgroup").toSorted((a, b) => Number(b.endsWith("/systemd")) - Number(a.endsWith("/systemd")));
}

function mounted(type: "cgroup" | "cgroup2"): string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return mounts.flatMap((line) => {
    const [, path = "", kind] = line.split(" ");
    return kind === type ? [path] : [];
  });
}
