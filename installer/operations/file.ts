/** One file of the bundle on the node. What was there is kept by link and put back by undo. */
import type { Digest } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { Effect, Owner } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Kind } from "./operation.ts";

export interface FileSpec {
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  /** Of the content as it will be on this node. */
  readonly digest: Digest;
  readonly size: number;
  readonly sensitive: boolean;
}

export type FileBefore =
  | null
  | { readonly type: "symlink"; readonly target: string }
  | {
      readonly type: "file";
      readonly mode: number;
      readonly owner: Owner;
      readonly digest: Digest;
      readonly size: number;
      readonly mtimeMs: number;
    };

export const file: Kind<FileSpec, FileBefore> = {
  resource: ({ path }) => path,
  describe: ({ path }) => `file ${path}`,
  async inspect(host, { path }) {
    return inspectFile(host, path);
  },
  forward(spec, before) {
    const { path, mode, owner, digest, size } = spec;
    if (before?.type === "file" && before.digest === digest && before.mode === mode && sameOwner(before.owner, owner)) {
      return [];
    }
    const write: Effect = { do: "write", path, content: { digest, size }, mode, owner };
    return before?.type === "file" ? [{ do: "keep", path, digest: before.digest }, write] : [write];
  },
  backward({ path }, before) {
    return [putBack(path, before)];
  },
  async edited(host, { path, digest }, before) {
    const stat = await host.stat(path);
    if (stat?.type !== "file") return [];
    const found = await host.digest(path);
    return found === digest || (before?.type === "file" && found === before.digest) ? [] : [path];
  },
};

/** What is at a path where a file is to be; APPLY_FAILED where a file cannot be put. */
export async function inspectFile(host: HostReader, path: string): Promise<FileBefore> {
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
}

/** The effect that makes a path what it was. */
export function putBack(path: string, before: FileBefore): Effect {
  if (before === null) return { do: "remove", path };
  if (before.type === "symlink") return { do: "symlink", path, target: before.target };
  const { digest, mode, owner, mtimeMs } = before;
  return { do: "restore", path, digest, mode, owner, mtimeMs };
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.uid === b.uid && a.gid === b.gid;
}
