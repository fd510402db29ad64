/** A directory. One that exists keeps its contents; `implied` ones (parents of files) also keep mode and owner. */
import { ExpectedError } from "#kit/errors";
import type { Owner } from "../host/effect.ts";
import { sameOwner } from "./file.ts";
import type { Kind } from "./operation.ts";

export interface DirectorySpec {
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  /** Made where it is missing, never changed. */
  readonly implied: boolean;
}

/** `linked`: a symbolic link stands there (`/lib` → `usr/lib`); it is taken for the directory it leads to. */
export type DirectoryBefore = null | "linked" | { readonly mode: number; readonly owner: Owner };

export const directory: Kind<DirectorySpec, DirectoryBefore> = {
  resource: ({ path }) => path,
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
  forward({ path, mode, owner, implied }, before) {
    const asWanted =
      before === "linked" || (before !== null && (implied || (before.mode === mode && sameOwner(before.owner, owner))));
    return asWanted ? [] : [{ do: "mkdir", path, mode, owner }];
  },
  backward({ path }, before) {
    if (before === "linked") return [];
    return before === null ? [{ do: "rmdir-if-empty", path }] : [{ do: "mkdir", path, ...before }];
  },
};
