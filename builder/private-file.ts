/** Files that hold a secret: a password, a private key. */
import { readFileSync, statSync } from "node:fs";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatMode } from "#cli/quantities";
import { whyUnreadable } from "#cli/system-error";

/** A file that nobody else may read, as ssh asks of its own. DENIED, UNAUTHORIZED. */
export function privateFile(path: string, what: string): Buffer {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) === 0) return readFileSync(path);
    const found = `mode ${formatMode(mode)}`;
    const details = { where: path, expected: "mode 0600", found, hint: `chmod 600 ${path}` };
    throw new ExpectedError("DENIED", `others may read ${what}`, details);
  } catch (cause) {
    if (isExpected(cause)) throw cause;
    throw new ExpectedError("UNAUTHORIZED", `${what} cannot be read: ${whyUnreadable(cause)}`, {
      where: path,
      cause,
      hint: `ls -l ${path}`,
    });
  }
}
