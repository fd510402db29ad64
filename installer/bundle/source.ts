/** Opens a bundle where it lies: one plain tar, read in place, or a directory that somebody unpacked. */
import { realpathSync, statSync } from "node:fs";
import { ExpectedError } from "#cli/errors";
import { openDirectory } from "./directory-source.ts";
import type { Source } from "./member.ts";
import { readable } from "./readable.ts";
import { type Enough, openTar } from "./tar-source.ts";

/** Lists the bundle at `where`, or a tar as far as `enough` wants it; USAGE when there is nothing, ARCHIVE_INVALID when it is neither, UNREADABLE. */
export function openSource(where: string, enough?: Enough): Source {
  const stat = readable(where, () => statSync(where, { throwIfNoEntry: false }));
  if (stat === undefined) {
    throw new ExpectedError("USAGE", "there is no such bundle", { where, hint: "give the .tar or its directory" });
  }
  // A link to a bundle is as good as the bundle; behind this point no link is followed.
  const real = readable(where, () => realpathSync(where));
  if (stat.isDirectory()) return openDirectory(real);
  if (stat.isFile()) return openTar(real, stat.size, enough);
  throw new ExpectedError("ARCHIVE_INVALID", "a bundle is a plain tar file or a directory", { where });
}
