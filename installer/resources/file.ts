/** One file of the bundle on the node. What was there is kept by link and put back by undo. */
import type { Digest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Effect, Owner } from "../host/effect.ts";
import { unitFolder } from "../host/systemd.ts";
import type { Resource } from "./resource.ts";

export interface FileId {
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  /** Of the content as it will be on this node. */
  readonly digest: Digest;
  readonly size: number;
  readonly sensitive: boolean;
}

export type FileState =
  | null
  | { readonly type: "symlink"; readonly target: string }
  | {
      readonly type: "file";
      readonly mode: number;
      readonly owner: Owner;
      readonly digest: Digest;
      readonly size: number;
      /** Of a file that was there; absent where it is yet to be written. */
      readonly mtimeMs?: number;
    };

export const file: Resource<FileId, FileState> = {
  name: ({ path }) => path,
  describe: ({ path }) => `file ${path}`,
  async inspect(host, { path }) {
    const stat = await host.stat(path);
    if (stat === null) return null;
    if (stat.type === "symlink") return { type: "symlink", target: stat.target };
    if (stat.type === "file") {
      const { mode, owner, size, mtimeMs } = stat;
      return { type: "file", mode, owner, digest: await host.digest(path), size, mtimeMs };
    }
    throw new ExpectedError("PREFLIGHT", `a file is to be put where a ${stat.type} is`, {
      where: path,
      hint: `ls -ld ${path}`,
    });
  },
  spec: ({ mode, owner, digest, size }) => ({ type: "file", mode, owner, digest, size }),
  equal(a, b) {
    if (a === null || b === null) return a === b;
    if (a.type === "symlink" || b.type === "symlink")
      return a.type === "symlink" && b.type === "symlink" && a.target === b.target;
    return a.digest === b.digest && a.mode === b.mode && sameOwner(a.owner, b.owner);
  },
  steps({ path }, from, to) {
    if (file.equal(from, to)) return [];
    const keep: Effect[] = from?.type === "file" ? [{ do: "keep", path, digest: from.digest }] : [];
    return [...keep, put(path, to)];
  },
  // Of a unit or its settings: before the newer units start.
  retires: ({ path }) => (path.startsWith(`${unitFolder}/`) ? "stop" : "remove"),
};

function put(path: string, to: FileState): Effect {
  if (to === null) return { do: "remove", path };
  if (to.type === "symlink") return { do: "symlink", path, target: to.target };
  const { digest, size, mode, owner, mtimeMs } = to;
  return mtimeMs === undefined
    ? { do: "write", path, content: { digest, size }, mode, owner }
    : { do: "restore", path, digest, mode, owner, mtimeMs };
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.uid === b.uid && a.gid === b.gid;
}
