/**
 * The writer of files that are there as a whole or not at all, whenever the power goes. Such a file has its mode (less the
 * umask) from its first byte; its bytes are on the disk before it has its name, and so is the name when the call returns.
 * On a failure nothing new is left, and what had the name keeps it.
 *
 * Three others do this themselves: host/local-files.ts (links kept files, sets owners, and undo knows its temporary names),
 * file-chunks.ts (hashes while a frame is decoded, and flushes one file while it writes the next), and the builder's
 * store (only the digest of what was written tells the name).
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExpectedError } from "#cli/errors";
import { explainedBySystem } from "#cli/system-error";

/** Whole, or in pieces that come one after the other: one piece may use the memory of the one before. */
export type FileContent = Parameters<FileHandle["writeFile"]>[0];

/** For a file that only one process writes: what a power cut leaves is replaced by the next try. */
export const partialOf = (path: string): string => `${path}.partial`;

/**
 * Calls `write` with a new path beside `path`; what it made (and fsynced) replaces `path`. `temporary`: that path, on the
 * same file system. An error of the system is explained (NO_SPACE, DENIED…).
 */
export async function writeBeside<Result>(
  path: string,
  write: (temporary: string) => Promise<Result>,
  temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.partial`),
): Promise<Result> {
  try {
    await rm(temporary, { force: true });
    const result = await write(temporary);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    throw explainedBySystem(error, dirname(path));
  } finally {
    await rm(temporary, { force: true, recursive: true });
  }
}

/** {@link writeBeside} for a folder, made for `write`, which must not be there yet: USAGE. */
export async function writeNewFolder(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  refusePresent(path);
  await mkdir(dirname(path), { recursive: true });
  await writeBeside(path, async (temporary) => {
    await mkdir(temporary);
    await write(temporary);
  });
}

/** USAGE where there is anything at `path`: also for those who work long before they write. */
export function refusePresent(path: string): void {
  if (!existsSync(path)) return;
  throw new ExpectedError("USAGE", "this is there already", {
    where: path,
    hint: "give a folder that does not exist yet",
  });
}

/** Whatever `path` was before. */
export async function replaceFile(path: string, content: FileContent, mode: number, temporary?: string): Promise<void> {
  await writeBeside(path, (beside) => writeNew(beside, content, mode), temporary);
}

/** A file that must not be there yet (EEXIST); its bytes are on the disk when this returns. */
export async function writeNew(path: string, content: FileContent, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().finally(() => folder.close());
}
