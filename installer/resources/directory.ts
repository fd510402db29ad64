/** A directory. One that exists keeps its contents; `implied` ones (parents of files) also keep mode and owner. */
import { ExpectedError } from "#cli/errors";
import type { Owner } from "../host/effect.ts";
import { sameOwner } from "./file.ts";
import type { Resource } from "./resource.ts";

export interface DirectoryId {
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  /** Made where it is missing, never changed. */
  readonly implied: boolean;
}

/** `linked`: a symbolic link stands there (`/lib` → `usr/lib`); it is taken for the directory it leads to. */
export type DirectoryState = null | "linked" | { readonly mode: number; readonly owner: Owner };

export const directory: Resource<DirectoryId, DirectoryState> = {
  name: ({ path }) => path,
  describe: ({ path }) => `directory ${path}`,
  async inspect(host, { path }) {
    const stat = await host.stat(path);
    if (stat === null) return null;
    if (stat.type === "symlink") return "linked";
    if (stat.type === "directory") return { mode: stat.mode, owner: stat.owner };
    throw new ExpectedError("PREFLIGHT", `a directory is to be where a ${stat.type} is`, {
      where: path,
      hint: `ls -ld ${path}`,
    });
  },
  spec: ({ mode, owner, implied }, now) => (now === "linked" || (implied && now !== null) ? now : { mode, owner }),
  equal(a, b) {
    if (a === null || b === null || a === "linked" || b === "linked") return a === b;
    return a.mode === b.mode && sameOwner(a.owner, b.owner);
  },
  steps({ path, implied }, from, to) {
    if (from === "linked" || to === "linked") return [];
    if (to !== null) return directory.equal(from, to) ? [] : [{ do: "mkdir", path, ...to }];
    if (from === null) return [];
    return [implied ? { do: "rmdir-if-empty", path } : { do: "rmdir-if-empty", path, data: true }];
  },
  retires: () => "clear",
};
