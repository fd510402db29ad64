/** How one effect changes files: atomic, durable, and the same when done again. Only local.ts calls these. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, digestFile, digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { type Content, type Owner, temporaryName } from "./effect.ts";
import { parseMounts } from "./mounts.ts";

/** Two folders of this machine: contents to be placed, by digest; and files that were replaced, see {@link keptName}. */
export interface ContentFolders {
  readonly stage: string;
  readonly before: string;
}

/** Name in the folder `before` under which the file at `path` is kept: one name a path, so that equal files stay apart. */
export function keptName(digest: Digest, path: string): string {
  return `${digest}.${digestOf(path).slice(0, 12)}`;
}

/** Of a file that is put in its place; `mtimeMs` null: as it is. */
export interface Attributes {
  readonly mode: number;
  readonly owner: Owner;
  readonly mtimeMs: number | null;
}

/** Makes one directory, private until its owner is set; an existing one gets mode and owner. */
export function makeDirectory(path: string, mode: number, owner: Owner): void {
  tolerate(() => change(path, () => fs.mkdirSync(path, 0o700)), "EEXIST");
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  try {
    setAttributes(file, { mode, owner, mtimeMs: null });
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Keeps what is there now, under the digest it had when it was inspected. */
export function keep(path: string, digest: Digest, kept: string): void {
  if (fs.lstatSync(kept, { throwIfNoEntry: false }) !== undefined) return;
  const found = digestFile(path).digest;
  if (found !== digest) {
    throw new ExpectedError("APPLY_FAILED", "this file changed while the installation ran", {
      where: path,
      expected: digest,
      found,
      hint: "run the same command again",
    });
  }
  const temporary = temporaryName(kept);
  fs.rmSync(temporary, { force: true });
  linkOrCopy(path, temporary, digest);
  change(kept, () => fs.renameSync(temporary, kept));
}

/** Puts content in the place of `path`: staged content by link where its inode is used nowhere else, or text. */
export function write(path: string, content: Content, stage: string, attributes: Attributes): void {
  replace(path, (temporary) => {
    if ("text" in content) {
      fs.writeFileSync(temporary, content.text, { mode: 0o600, flag: "wx" });
    } else {
      const staged = join(stage, content.digest);
      // A staged content that lies at another path already must not share its inode with this one.
      if (fs.lstatSync(staged).nlink === 1) linkOrCopy(staged, temporary, content.digest);
      else copy(staged, temporary, content.digest);
    }
    return attributes;
  });
}

/** Puts a kept file back: its very inode where it was linked. Nothing kept and nothing replaced yet is fine. */
export function restore(path: string, digest: Digest, kept: string, attributes: Attributes): void {
  const source = fs.lstatSync(kept, { throwIfNoEntry: false });
  const present = fs.lstatSync(path, { throwIfNoEntry: false });
  fs.rmSync(temporaryName(path), { force: true });
  // Asked only where it matters: it reads all of the file.
  const isSame = (now = present): boolean => now?.isFile() === true && digestFile(path).digest === digest;
  const isKept = source !== undefined && present?.ino === source.ino && present.dev === source.dev;
  if (isKept || (source === undefined && isSame())) return setAttributesAt(path, attributes);
  if (source === undefined) {
    throw new ExpectedError("UNDO_INCOMPLETE", "the file that was here before is no longer kept", {
      where: path,
      hint: `look for it in a backup; its SHA-256 is ${digest}`,
    });
  }
  try {
    replace(path, (temporary) => {
      linkOrCopy(kept, temporary, digest);
      return attributes;
    });
  } catch (error) {
    // An immutable or mounted file, of which a copy was kept, was not replaced either.
    const now = fs.lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino !== present?.ino || !isSame(now)) throw error;
    fs.rmSync(temporaryName(path), { force: true });
    setAttributesAt(path, attributes);
  }
}

/** See the effect `set-aside`. */
export function setAside(path: string): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  let aside = `${path}.kubeferry-kept`;
  for (let number = 1; fs.lstatSync(aside, { throwIfNoEntry: false }) !== undefined; number += 1) {
    aside = `${path}.kubeferry-kept.${number}`;
  }
  change(path, () => fs.renameSync(path, aside));
}

/** See the effect `move`. */
export function move(path: string, to: string): void {
  if (!present(path)) return;
  if (present(to)) {
    const hint = `ls -l ${to}`;
    throw new ExpectedError("APPLY_FAILED", "there is something of this name already", { where: to, hint });
  }
  change(to, () => fs.renameSync(path, to));
  syncDirectory(dirname(path));
}

/** Removes a file or link and what a cut-off write left beside it. Asks first: a read-only file system refuses also what is not there. */
export function removeFile(path: string): void {
  for (const name of [temporaryName(path), path]) {
    if (present(name)) tolerate(() => change(name, () => fs.unlinkSync(name)), "ENOENT");
  }
}

/** Whether anything has this name; something that is no directory may stand in the place of a parent. */
function present(path: string): boolean {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

/**
 * Leaves alone what is mounted below, and says so by failing at the end. A folder of the same file system that is mounted
 * there too (a pod's subPath, bind) has the same device: only the table of mounts tells that it is somebody's data.
 */
export function removeTree(path: string): void {
  const top = fs.lstatSync(path, { throwIfNoEntry: false });
  if (top === undefined) return;
  const foreign: string[] = [];
  const mounts = new Set(parseMounts(readMounts()).map(({ at }) => at));
  const walk = (folder: string): void => {
    for (const entry of fs.readdirSync(folder)) {
      const below = join(folder, entry);
      const stat = fs.lstatSync(below);
      // On an overlay a file has the device of the layer that it lies in: of devices only those of folders tell of mounts.
      if (mounts.has(below) || (stat.isDirectory() && stat.dev !== top.dev)) foreign.push(below);
      else if (stat.isDirectory()) walk(below);
      else fs.unlinkSync(below);
    }
    tolerate(() => fs.rmdirSync(folder), "ENOTEMPTY", "EBUSY");
  };
  if (top.isDirectory()) walk(path);
  else fs.unlinkSync(path);
  if (foreign.length > 0) {
    throw new ExpectedError("UNDO_INCOMPLETE", `left alone, being other file systems: ${foreign.join(", ")}`, {
      where: path,
      hint: `umount ${foreign[0]}`,
    });
  }
}

function readMounts(): string {
  try {
    return fs.readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}

/** Makes a temporary file (private until complete), gives it its attributes, and puts it in the place of `path`. */
export function replace(path: string, make: (temporary: string) => Attributes | void): void {
  const temporary = temporaryName(path);
  fs.rmSync(temporary, { force: true });
  const attributes = make(temporary);
  if (attributes !== undefined) {
    const file = fs.openSync(temporary, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      setAttributes(file, attributes);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  }
  change(path, () => fs.renameSync(temporary, path));
}

function setAttributesAt(path: string, attributes: Attributes): void {
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    setAttributes(file, attributes);
  } finally {
    fs.closeSync(file);
  }
}

function setAttributes(file: number, { mode, owner, mtimeMs }: Attributes): void {
  const now = fs.fstatSync(file);
  const owned = now.uid === owner.uid && now.gid === owner.gid;
  if (!owned) fs.fchownSync(file, owner.uid, owner.gid);
  if (!owned || (now.mode & 0o7777) !== mode) fs.fchmodSync(file, mode);
  if (mtimeMs !== null && Math.abs(now.mtimeMs - mtimeMs) > 0.01)
    fs.futimesSync(file, now.atimeMs / 1000, mtimeMs / 1000);
}

/** A hard link; across file systems, or where links are not allowed, a copy with the same times. */
function linkOrCopy(source: string, target: string, digest: Digest): void {
  try {
    fs.linkSync(source, target);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error))) throw error;
    copy(source, target, digest);
    const { atimeMs, mtimeMs } = fs.lstatSync(source);
    fs.utimesSync(target, atimeMs / 1000, mtimeMs / 1000);
  }
}

/** Copies private from the first byte, and reads the copy's digest on the way. */
function copy(source: string, target: string, digest: Digest): void {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  const hash = createHash("sha256");
  const from = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  const to = fs.openSync(target, "wx", 0o600);
  try {
    for (;;) {
      const count = fs.readSync(from, buffer);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      for (let done = 0; done < count;) done += fs.writeSync(to, buffer, done, count - done);
    }
    fs.fsyncSync(to);
  } finally {
    fs.closeSync(from);
    fs.closeSync(to);
  }
  const found = hash.digest("hex");
  if (found === digest) return;
  fs.rmSync(target, { force: true });
  throw new ExpectedError("DIGEST_MISMATCH", "a copy is not what was copied", {
    where: target,
    expected: digest,
    found,
  });
}

/** Changes a name in a directory and makes that durable. */
export function change(path: string, act: () => void): void {
  act();
  syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const file = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    // What is only in the kernel, as control groups are, cannot be flushed.
    tolerate(() => fs.fsyncSync(file), "EINVAL");
  } finally {
    fs.closeSync(file);
  }
}

/** Does it, and takes the named refusals of the kernel for done. */
export function tolerate(act: () => void, ...codes: string[]): void {
  try {
    act();
  } catch (error) {
    if (!codes.includes(codeOf(error))) throw error;
  }
}

/** `ENOENT` and the like; empty for anything else. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}
