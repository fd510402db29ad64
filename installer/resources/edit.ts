/** Editing a file of the host's own (fstab, hosts, SELinux' config): kept, written whole, and taken back line by line. */
import { type Digest, digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Effect, Owner } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";

/** Null: there is no such file. */
export type TextState = null | {
  readonly text: string;
  readonly digest: Digest;
  readonly mode: number;
  readonly owner: Owner;
  /** Of a file that was there; absent where it is yet to be written. */
  readonly mtimeMs?: number;
};

/** What is edited in a text, and how that is taken back where somebody edited the file since. */
export interface Edit {
  /** Null: the file is left alone. */
  readonly apply: (text: string | null) => string | null;
  /** Whole lines of ours in a file that had been `before`; `to` null: the line goes. */
  readonly lines: (before: string | null) => readonly { readonly from: string; readonly to: string | null }[];
}

/** What the file says; PREFLIGHT where something stands there that cannot be edited. */
export async function inspectText(host: HostReader, path: string): Promise<TextState> {
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

/** The file with the edit in it; `owner` is of a new one. */
export function edited(now: TextState, { apply }: Edit, owner: Owner = { uid: 0, gid: 0 }): TextState {
  const text = apply(now?.text ?? null);
  if (text === null || text === now?.text) return now;
  return { text, digest: digestOf(text), mode: now?.mode ?? 0o644, owner: now?.owner ?? owner };
}

export function equalText(a: TextState, b: TextState): boolean {
  return a?.digest === b?.digest;
}

/** To a text that is wanted, or back to one that was there: then whatever somebody else wrote meanwhile stays. */
export function editSteps(path: string, from: TextState, to: TextState, edit: Edit): Effect[] {
  if (equalText(from, to)) return [];
  const keep: Effect[] = from === null ? [] : [{ do: "keep", path, digest: from.digest }];
  if (to !== null && to.mtimeMs === undefined) {
    const { text, mode, owner } = to;
    return [...keep, { do: "write", path, content: { text }, mode, owner }];
  }
  const wasThere = to?.text ?? null;
  // What was there may have been ours: an older bundle's, which rollback brings again.
  const wasOurs = to !== null && edit.apply(to.text) === to.text;
  const left = from && (wasOurs ? edit.apply(from.text) : unedit(from.text, edit.lines(wasThere)));
  const isUntouched =
    from === null ||
    edit.apply(wasThere) === from.text ||
    (to !== null && (edit.apply(from.text) === to.text || unedit(to.text, edit.lines(null)) === from.text));
  if (isUntouched) return [...keep, putTextBack(path, to)];
  if (from === null || left === null || left === from.text) return [];
  const { mode, owner } = from;
  return [...keep, { do: "write", path, content: { text: left }, mode, owner }];
}

function putTextBack(path: string, to: TextState): Effect {
  if (to === null) return { do: "remove", path };
  const { digest, mode, owner, mtimeMs = 0 } = to;
  return { do: "restore", path, digest, mode, owner, mtimeMs };
}

/** Each whole line that is `from` becomes `to`, or goes where `to` is null. Everything else stays byte for byte. */
export function unedit(text: string, lines: ReturnType<Edit["lines"]>): string {
  const spec = new Map(lines.map(({ from, to }) => [from, to]));
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      const bare = line.replace(/\n$/, "");
      const to = spec.get(bare);
      if (to === undefined) return line;
      return to === null ? "" : to + line.slice(bare.length);
    })
    .join("");
}
