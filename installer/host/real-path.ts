/** Where a path leads on the node: the kernel's tables know no symbolic links. */
import { dirname, join } from "node:path";
import type { HostReader } from "./host.ts";
import { deepest, split } from "./inside.ts";

/** `/var/lib/docker` → `/data/docker` where the one is a link to the other; the path itself where it goes in circles. */
export async function realPath(host: HostReader, path: string): Promise<string> {
  let rest = split(path);
  let real = "/";
  for (let links = 0; rest.length > 0;) {
    const [part = "", ...more] = rest;
    const next = join(real, part);
    const stat = await host.stat(next);
    rest = more;
    if (stat?.type !== "symlink") {
      real = next;
      continue;
    }
    links += 1;
    if (links > deepest) return path;
    const target = stat.target.startsWith("/") ? stat.target : join(dirname(next), stat.target);
    rest = [...split(target), ...more];
    real = "/";
  }
  return real;
}
