/** Preflight of file systems: room, inodes, mount options, data directories. */
import { statfsSync, statSync } from "node:fs";
import { error, type Finding, ok, warning } from "#cli/finding";
import { formatBytes } from "#cli/quantities";
import type { HostReader } from "../../host/host.ts";
import { inside } from "../../host/inside.ts";
import { parseMounts } from "../../host/mounts.ts";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import type { PreflightInput } from "./input.ts";

/** Beside the files themselves: directories, the journal, what grows meanwhile. */
const withMargin = (bytes: number): number => bytes + Math.max(1024 * 1024, bytes / 20);
const statePlace = "/var/lib/kubeferry";

interface Room {
  readonly where: string;
  readonly free: number;
  readonly inodes: number;
}

/** What is needed on each file system: the stage holds every content once, others get copies of theirs. */
export function space(input: PreflightInput): Finding[] {
  return perFileSystem(input).map(({ where, free, bytes }): Finding => {
    if (free >= withMargin(bytes)) return ok("disk-space", `${where} has room for ${formatBytes(bytes)}`);
    const message = `the file system of ${where} is too small`;
    const expected = formatBytes(withMargin(bytes));
    return error("disk-space", message, { expected, found: formatBytes(free), hint: `df -h ${where}` });
  });
}

/** btrfs and the like count no inodes and say 0 of 0. */
export function inodes(input: PreflightInput): Finding[] {
  const short = perFileSystem(input).filter((room) => room.inodes >= 0 && room.inodes < 2 * room.files + 100);
  if (short.length === 0) return [ok("inodes", "enough")];
  return short.map(({ where, inodes: free, files }) =>
    error("inodes", `the file system of ${where} has too few free inodes`, {
      expected: String(2 * files + 100),
      found: String(free),
      hint: `df -i ${where}`,
    }),
  );
}

/** Targets on a file system that is read-only, or where programs may not run. */
export async function mounts({ host, plan }: PreflightInput): Promise<Finding[]> {
  const table = parseMounts((await hostMounts(host)) ?? "");
  const findings = new Map<string, Finding>();
  for (const { path, mode } of idsOf("file", goalsIn(plan))) {
    const place = inside(host.root, path);
    const mount = table.filter(({ at }) => place === at || place.startsWith(at === "/" ? "/" : `${at}/`)).at(-1);
    if (mount === undefined) continue;
    if (mount.options.includes("ro")) {
      const message = `${mount.at} is mounted read-only, and ${path} is to be written there`;
      findings.set(`${mount.at} ro`, error("read-only", message, { hint: `mount -o remount,rw ${mount.at}` }));
    } else if (host.live && (mode & 0o111) !== 0 && mount.options.includes("noexec")) {
      const message = `${mount.at} is mounted noexec, and the program ${path} is to be there`;
      findings.set(`${mount.at} noexec`, error("noexec", message, { hint: `mount -o remount,exec ${mount.at}` }));
    }
  }
  return findings.size > 0 ? [...findings.values()] : [ok("mount-options", "targets can be written and run")];
}

/** The node's data directories: links are followed by daemons and by nobody's backup; old XFS cannot hold overlays. */
export async function dataLinks({ host, plan }: PreflightInput): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, implied } of idsOf("directory", goalsIn(plan))) {
    if (implied || !path.startsWith("/var/")) continue;
    const stat = await host.stat(path);
    if (stat?.type !== "symlink") continue;
    const message = `${path} is a link to ${stat.target}; it is used as it is`;
    findings.push(warning("data-directory", message, { hint: `ls -ld ${path}` }));
  }
  const table = host.live ? parseMounts((await hostMounts(host)) ?? "") : [];
  const mount = table.filter(({ at }) => "/var/lib/containerd".startsWith(at)).at(-1);
  if (mount?.type === "xfs") {
    const { code, stdout } = await host.query(["xfs_info", mount.at]);
    if (code === 0 && stdout.includes("ftype=0")) {
      const message = `${mount.at} is an XFS without ftype, on which container layers cannot lie`;
      findings.push(error("xfs-ftype", message, { hint: "make it anew: mkfs.xfs -n ftype=1" }));
    }
  }
  return findings.length > 0 ? findings : [ok("data-directory", "plain directories")];
}

function perFileSystem({ host, plan, kept }: PreflightInput): (Room & { bytes: number; files: number })[] {
  const specs = idsOf("file", goalsIn(plan));
  const contents = new Map(specs.map(({ digest, size }) => [digest, size]));
  const state = roomOf(host.root, statePlace);
  const bytes = [...contents.values()].reduce((sum, size) => sum + size, kept);
  const needs = new Map([[state.id, { ...state, bytes, files: contents.size }]]);
  for (const { path, size } of specs) {
    const room = roomOf(host.root, path);
    const need = needs.get(room.id) ?? { ...room, bytes: 0, files: 0 };
    // On the stage's own file system a link is made, and takes no room.
    const more = room.id === state.id ? 0 : size;
    needs.set(room.id, { ...need, bytes: need.bytes + more, files: need.files + 1 });
  }
  return [...needs.values()];
}

/** The file system that a path is on or would be on; `id` is its device. */
function roomOf(root: string, path: string): Room & { id: number } {
  let where = inside(root, path);
  for (;;) {
    try {
      const { bavail, bsize, files, ffree } = statfsSync(where);
      return { id: statSync(where).dev, where, free: bavail * bsize, inodes: files === 0 ? -1 : ffree };
    } catch {
      where = where.slice(0, Math.max(1, where.lastIndexOf("/")));
    }
  }
}

/** Of this machine, whatever `root` is: a mounted tree has no /proc of its own. */
async function hostMounts(host: HostReader): Promise<string | null> {
  const { code, stdout } = await host.query(["cat", "/proc/self/mountinfo"]);
  return code === 0 ? stdout : null;
}
