/**
 * The folder /var/lib/kubeferry of a node: journal, lock, staged contents, kept files, the installer, room for undo.
 * It and the ancestors that had to be made for it are gone after a complete undo.
 */
import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ContentFolders } from "../host/local-files.ts";
import { inside } from "../host/inside.ts";
import { refuse, refuseForeignState } from "./own-state.ts";
import { fileJournal, type Journal } from "./journal.ts";
import { Reserve } from "./reserve.ts";

/** As the node sees it. */
export const statePath = "/var/lib/kubeferry";
/** The copy of the installer that takes back what it did, and that units of ours run. */
export const keptInstaller = `${statePath}/install`;

export interface State {
  /** On this machine. */
  readonly folder: string;
  readonly contents: ContentFolders;
  readonly journal: Journal;
  readonly reserve: Reserve;
}

/** Where the state of the tree below `root` is; nothing is made. PATH_ESCAPES, JOURNAL_INVALID where it is not ours alone. */
export function stateOf(root: string): State {
  const folder = inside(root, statePath);
  refuseForeignState(folder);
  return {
    folder,
    contents: { stage: join(folder, "stage"), before: join(folder, "before") },
    journal: fileJournal(join(folder, "journal")),
    reserve: new Reserve(folder),
  };
}

export function stateExists(root: string): boolean {
  return fs.existsSync(stateOf(root).folder) || leftover(root) !== null;
}

/**
 * Makes the folder, 0700, and returns the ancestors that had to be made for it (paths on the node), outermost first.
 * Until a journal names them, a note beside the outermost of them does, so that a power cut loses none.
 */
export function createState(root: string): readonly string[] {
  const { folder, contents } = stateOf(root);
  const missing = missingAncestors(root, folder);
  const noted = leftover(root);
  const made = [...new Set([...(noted?.made ?? []), ...missing])];
  const [outermost] = missing;
  if (outermost !== undefined) {
    const note = noteBeside(root, outermost);
    if (noted !== null && noted.path !== note) fs.rmSync(noted.path, { force: true });
    writeNote(note, made);
  }
  for (const path of missing) fs.mkdirSync(join(root, path), { mode: 0o755 });
  for (const path of [folder, contents.stage, contents.before]) fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  return made;
}

/** Once the journal holds what {@link createState} returned. */
export function forgetNote(root: string): void {
  const noted = leftover(root);
  if (noted !== null) fs.rmSync(noted.path, { force: true });
}

/** Empties the stage: its contents are in place, or are no longer wanted. */
export function clearStage(root: string): void {
  const { stage } = stateOf(root).contents;
  for (const name of list(stage)) fs.rmSync(join(stage, name), { force: true });
}

/** Removes everything of ours, the journal last, then the ancestors as far as they are empty. Does the rest after a crash. */
export function destroyState(root: string, madeOf: readonly string[]): void {
  const { folder } = stateOf(root);
  const noted = leftover(root);
  const made = [...new Set([...(noted?.made ?? []), ...madeOf])].toSorted();
  const [outermost] = made;
  const last = ["journal", "lock"];
  // On a full disk this makes room for the note, and until the note is written the journal names what it does.
  for (const name of list(folder).filter((entry) => !last.includes(entry))) {
    fs.rmSync(join(folder, name), { recursive: true, force: true });
  }
  const note = outermost === undefined ? null : noteBeside(root, outermost);
  // A note that says the same stays: writing it anew could fail.
  const isNoted = note === noted?.path && noted?.made.length === made.length;
  if (note !== null && !isNoted) writeNote(note, made);
  for (const name of last) fs.rmSync(join(folder, name), { force: true });
  removeIfEmpty(folder);
  for (const path of made.toReversed()) removeIfEmpty(join(root, path));
  if (noted !== null) fs.rmSync(noted.path, { force: true });
  if (note !== null) fs.rmSync(note, { force: true });
}

const noteName = ".kubeferry-made";

function noteBeside(root: string, path: string): string {
  return join(dirname(join(root, path)), noteName);
}

/** Flushed before anything that it names is made. */
function writeNote(path: string, made: readonly string[]): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
  const file = fs.openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    fs.writeSync(file, JSON.stringify(made));
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** The note of an earlier run that was cut off; it lies in an ancestor of the state folder. */
function leftover(root: string): { path: string; made: string[] } | null {
  let folder = stateOf(root).folder;
  while (folder.length > root.length) {
    folder = dirname(folder);
    const path = join(folder, noteName);
    refuse(path, "file");
    if (!fs.existsSync(path)) continue;
    try {
      const made = JSON.parse(fs.readFileSync(path, "utf8")) as string[];
      // Nothing but what can have been made for this folder is ever taken away again.
      return { path, made: made.filter((one) => `${statePath}/`.startsWith(`${one}/`) && one !== "/") };
    } catch {
      // Torn: it was cut off before anything was made.
      return { path, made: [] };
    }
  }
  return null;
}

function missingAncestors(root: string, folder: string): string[] {
  const missing: string[] = [];
  for (let path = dirname(folder); path.length > root.length && !fs.existsSync(path); path = dirname(path)) {
    missing.unshift(`/${relative(root, path)}`);
  }
  return missing;
}

function list(path: string): string[] {
  try {
    return fs.readdirSync(path);
  } catch {
    return [];
  }
}

function removeIfEmpty(path: string): void {
  try {
    fs.rmdirSync(path);
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY"].includes(code)) throw error;
  }
}
