/** What an older bundle brought and a newer one no longer has: files, directories and units that go, and come back with undo. */
import { digestOf } from "#bundle";
import type { Effect } from "../host/effect.ts";
import { unedit } from "../host/unedit.ts";
import { block, blockLines, type BlockSpec, withBlock } from "./block.ts";
import type { DirectoryBefore } from "./directory.ts";
import type { EditBefore } from "./edit.ts";
import { type FileBefore, inspectFile, putBack, sameOwner } from "./file.ts";
import type { Kind } from "./operation.ts";
import { isActive } from "./unit.ts";

export interface AbsentFileSpec {
  readonly path: string;
  /** What was there before the older bundle's file: it is put back. Null: nothing was, and nothing will be. */
  readonly original: FileBefore;
}

export const absentFile: Kind<AbsentFileSpec, FileBefore> = {
  resource: ({ path }) => path,
  describe: ({ path }) => `no more file ${path}`,
  inspect: (host, { path }) => inspectFile(host, path),
  forward: ({ path, original }, before) => takeAway(path, original, before),
  backward: ({ path, original }, before) => bringBack(path, original, before),
  async edited(host, { path, original }, before) {
    const stat = await host.stat(path);
    if (stat?.type !== "file") return [];
    const found = await host.digest(path);
    const known = [before, original].some((known) => known?.type === "file" && known.digest === found);
    return known ? [] : [path];
  },
};

export interface AbsentDirectorySpec {
  readonly path: string;
}

/** A directory that holds more than what was installed stays. */
export const absentDirectory: Kind<AbsentDirectorySpec, DirectoryBefore> = {
  resource: ({ path }) => path,
  describe: ({ path }) => `no more directory ${path}`,
  async inspect(host, { path }) {
    const stat = await host.stat(path);
    return stat?.type === "directory" ? { mode: stat.mode, owner: stat.owner } : null;
  },
  forward: ({ path }, before) => (before === null ? [] : [{ do: "rmdir-if-empty", path }]),
  backward: ({ path }, before) =>
    before === null || before === "linked" ? [] : [{ do: "mkdir", path, mode: before.mode, owner: before.owner }],
};

export interface AbsentUnitSpec {
  readonly name: string;
  readonly file: string;
  /** Absolute paths of the links that enabled it. */
  readonly links: readonly string[];
  readonly live: boolean;
  /** As in {@link AbsentFileSpec}, for the unit's own file. */
  readonly original: FileBefore;
}

export interface AbsentUnitBefore {
  readonly file: FileBefore;
  /** Whether each of `links` leads to the unit's file. */
  readonly links: readonly boolean[];
  readonly active: boolean;
}

export const absentUnit: Kind<AbsentUnitSpec, AbsentUnitBefore> = {
  resource: ({ name }) => `unit ${name}`,
  describe: ({ name }) => `no more unit ${name}`,
  async inspect(host, { name, file, links, live }) {
    const leads = async (path: string): Promise<boolean> => {
      const stat = await host.stat(path);
      return stat?.type === "symlink" && stat.target === file;
    };
    return {
      file: await inspectFile(host, file),
      links: await Promise.all(links.map(leads)),
      active: live && (await isActive(host, name)),
    };
  },
  forward({ name, file, links, live, original }, before) {
    // Code 5: after a power cut it may be stopped and forgotten already.
    const stop: Effect[] = before.active ? [{ do: "run", argv: ["systemctl", "stop", name], accept: [0, 5] }] : [];
    const unlink = links.flatMap((path, at): Effect[] => (before.links[at] ? [{ do: "remove", path }] : []));
    const changes = [...stop, ...unlink, ...takeAway(file, original, before.file)];
    return changes.length > 0 && live ? [...changes, systemctl("daemon-reload")] : changes;
  },
  backward({ file, links, original }, before) {
    const link = links.flatMap((path, at): Effect[] =>
      before.links[at] ? [{ do: "symlink", path, target: file }] : [],
    );
    return [...bringBack(file, original, before.file), ...link];
  },
  settle({ name, live }, before) {
    if (!live) return [];
    return [systemctl("daemon-reload"), ...(before.active ? [systemctl("start", name)] : [])];
  },
  async edited(host, { file, original }, before) {
    return (await absentFile.edited?.(host, { path: file, original }, before.file)) ?? [];
  },
};

export interface AbsentBlockSpec {
  /** As the older bundle wanted it. */
  readonly wanted: BlockSpec;
  /** What the file was before: it is put back where nobody edited it since. Null: there was none. */
  readonly original: EditBefore;
}

/** Lines in a file of the host's own, /etc/hosts above all. */
export const absentBlock: Kind<AbsentBlockSpec, EditBefore> = {
  resource: ({ wanted }) => wanted.path,
  describe: ({ wanted }) => `no more ${block.describe(wanted)}`,
  inspect: (host, { wanted }) => block.inspect(host, wanted),
  forward({ wanted, original }, before) {
    const text = before === null ? null : withoutBlock(wanted, original, before.text);
    if (before === null || text === before.text) return [];
    const keep: Effect = { do: "keep", path: wanted.path, digest: before.digest };
    if (text === null) return [keep, putBack(wanted.path, original && asFile(original))];
    return [keep, { do: "write", path: wanted.path, content: { text }, mode: before.mode, owner: before.owner }];
  },
  backward({ wanted, original }, before) {
    if (before === null || withoutBlock(wanted, original, before.text) === before.text) return [];
    return [putBack(wanted.path, asFile(before))];
  },
  async edited(host, { wanted, original }, before) {
    if (before === null || (await host.stat(wanted.path))?.type !== "file") return [];
    const text = withoutBlock(wanted, original, before.text);
    const known = [before.digest, text === null ? original?.digest : digestOf(text)];
    return known.includes(await host.digest(wanted.path)) ? [] : [wanted.path];
  },
};

/** Null: it is just as the block made it, and becomes what it was before. */
function withoutBlock({ lines }: BlockSpec, original: EditBefore, text: string): string | null {
  const before = original?.text ?? "";
  if (before !== text && withBlock(before, lines) === text) return null;
  const old = new Set(before.split("\n"));
  const ours = blockLines(lines).filter((line) => !old.has(line));
  return unedit(
    text,
    ours.map((from) => ({ from, to: null })),
  );
}

function asFile({ text, ...rest }: NonNullable<EditBefore>): FileBefore {
  return { type: "file", size: Buffer.byteLength(text), ...rest };
}

function takeAway(path: string, original: FileBefore, before: FileBefore): Effect[] {
  if (before === null || isEqual(before, original)) return [];
  const keep: Effect[] = before.type === "file" ? [{ do: "keep", path, digest: before.digest }] : [];
  return [...keep, putBack(path, original)];
}

function bringBack(path: string, original: FileBefore, before: FileBefore): Effect[] {
  return before === null || isEqual(before, original) ? [] : [putBack(path, before)];
}

function isEqual(a: FileBefore, b: FileBefore): boolean {
  if (a?.type === "symlink") return b?.type === "symlink" && a.target === b.target;
  return a !== null && b?.type === "file" && a.digest === b.digest && a.mode === b.mode && sameOwner(a.owner, b.owner);
}

function systemctl(...args: string[]): Effect {
  return { do: "run", argv: ["systemctl", ...args] };
}
