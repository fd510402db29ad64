/** Files that are there as a whole or not at all, whenever the power goes: written under another name, fsynced, renamed. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExpectedError } from "#cli/errors";
import { explainedBySystem } from "#cli/system-error";

/** Calls `write` with a new path beside `path`; what it made (and fsynced) replaces `path`. On a failure nothing stays. */
export async function writeBeside<Result>(
  path: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.partial`);
  try {
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
  if (existsSync(path))
    throw new ExpectedError("USAGE", "this is there already", { where: path, hint: "name a folder that is not" });
  await mkdir(dirname(path), { recursive: true });
  await writeBeside(path, async (temporary) => {
    await mkdir(temporary);
    await write(temporary);
  });
}

export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await writeBeside(path, async (temporary) => writeNew(temporary, content, mode));
}

/** A file that must not be there yet; its bytes are on the disk when this returns. */
export async function writeNew(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().finally(() => folder.close());
}
