/** Paths of a node's tree on this machine. With `--root` no symbolic link in the tree leads out of it. */
import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "#cli/errors";

/** Links on one way: as many as Linux follows. */
export const deepest = 40;

/**
 * Where `path` (absolute, as the node sees it) lies on this machine: every symbolic link among its parents is
 * followed as the node would follow it, so that an absolute target starts again at `root` and `..` stops there.
 * The last component is never followed. PATH_ESCAPES where links go round in circles.
 */
export function inside(root: string, path: string): string {
  const parts = split(path);
  const last = parts.pop();
  return last === undefined ? root : join(resolveDirectory(root, parts, path), last);
}

/** Like {@link inside}, and follows the last component too. */
export function insideFollowed(root: string, path: string): string {
  return resolveDirectory(root, split(path), path);
}

function resolveDirectory(root: string, segments: readonly string[], path: string): string {
  const rest = [...segments];
  let real: string[] = [];
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === ".") continue;
    if (part === "..") {
      real = real.slice(0, -1);
      continue;
    }
    const target = linkTarget(join(root, ...real, part));
    if (target === null) {
      real.push(part);
      continue;
    }
    links += 1;
    if (links > deepest) {
      throw new ExpectedError("PATH_ESCAPES", "symbolic links go round in circles", { where: path });
    }
    if (target.startsWith("/")) real = [];
    rest.unshift(...split(target));
  }
  return join(root, ...real);
}

export function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function linkTarget(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSymbolicLink() === true ? readlinkSync(path) : null;
}
