/** Editing a file of the host's own (fstab, hosts, SELinux' config): kept, written whole, and taken back line by line. */
import { type Digest, digestOf } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { Effect, Owner } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";

/** Null: there was no such file. */
export type EditBefore = null | {
  readonly text: string;
  readonly digest: Digest;
  readonly mode: number;
  readonly owner: Owner;
  readonly mtimeMs: number;
};

/** What the file says; PREFLIGHT where something stands there that cannot be edited. */
export async function inspectEdit(host: HostReader, path: string): Promise<EditBefore> {
  const stat = await host.stat(path);
  if (stat === null) return null;
  const text = stat.type === "file" ? await host.read(path) : null;
  if (stat.type !== "file" || text === null) {
    const found = stat.type === "file" ? "a file of more than 1 MiB" : `a ${stat.type}`;
    throw new ExpectedError("PREFLIGHT", `${path} is ${found} and cannot be edited`, {
      where: path,
      hint: `ls -l ${path}`,
    });
  }
  const { mode, owner, mtimeMs } = stat;
  return { text, digest: digestOf(text), mode, owner, mtimeMs };
}

const rootOwner: Owner = { uid: 0, gid: 0 };

/** Makes the file `text`; empty where it is that already. Null: leave it alone. `owner` is of a new file. */
export function edit(path: string, before: EditBefore, text: string | null, owner = rootOwner): Effect[] {
  if (text === null || text === before?.text) return [];
  if (before === null) return [{ do: "write", path, content: { text }, mode: 0o644, owner }];
  return [
    { do: "keep", path, digest: before.digest },
    { do: "write", path, content: { text }, mode: before.mode, owner: before.owner },
  ];
}

/** The inverse of {@link edit}. `lines`: how our lines are taken back where somebody edited the file since. */
export function takeBackEdit(
  path: string,
  before: EditBefore,
  text: string | null,
  lines: readonly { readonly from: string; readonly to: string | null }[],
): Effect[] {
  if (text === null || text === before?.text) return [];
  const kept = before && { digest: before.digest, mode: before.mode, owner: before.owner, mtimeMs: before.mtimeMs };
  return [{ do: "unedit", path, written: digestOf(text), kept, lines }];
}
