/** A file gets its name only when it is whole: written under another name beside it, checked, renamed. */
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Calls `write` with a new path beside `path`; what it made (and fsynced) replaces `path`. On a failure nothing stays. */
export async function writeBeside<Result>(
  path: string,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.partial`);
  try {
    const result = await write(temporary);
    await rename(temporary, path);
    const folder = await open(dirname(path), "r");
    await folder.sync().finally(() => folder.close());
    return result;
  } finally {
    await rm(temporary, { force: true });
  }
}
