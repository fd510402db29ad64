/** A full file system, and how an operator is told of it. */
import { ExpectedError, messageOf } from "#cli/errors";

/** True for what the system, or a program that it ran, says of a full file system or a used up quota. */
export function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (code === "ENOSPC" || code === "EDQUOT" || code === "NO_SPACE") return true;
  }
  return /No space left on device|Disk quota exceeded/.test(messageOf(error));
}

/** NO_SPACE about `folder`. */
export function noSpace(folder: string, message: string, cause: unknown): ExpectedError {
  return new ExpectedError("NO_SPACE", message, { where: folder, hint: `df -h ${folder}; df -i ${folder}`, cause });
}
