/** A bundle's members: where their bytes lie, and how to reach them safely. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { ExpectedError } from "#cli/errors";
import type { IntegrityProblem } from "./problem.ts";
import { readable } from "./readable.ts";

/** `size` bytes of `file` from `offset`. Paths are clean and relative; nothing else becomes a member. */
export interface Member {
  readonly path: string;
  readonly file: string;
  readonly offset: number;
  readonly size: number;
  /** Permission bits and owner: those of the tar's header, or of the file. */
  readonly mode: number;
  readonly uid: number;
}

/** A listing. `problems` says what could not become a member, and why. */
export interface Source {
  readonly kind: "tar" | "directory";
  readonly where: string;
  readonly members: ReadonlyMap<string, Member>;
  readonly problems: readonly IntegrityProblem[];
}

/** More members than any bundle has: the listing of a hostile one must not fill the memory. */
export const memberLimit = 100_000;

/** All bytes of a small member; ARCHIVE_BOMB past `limit`, TRUNCATED when the file ends early. */
export function readMember(member: Member, limit: number): Buffer {
  const where = `${member.file}: ${member.path}`;
  if (member.size > limit) {
    throw new ExpectedError("ARCHIVE_BOMB", `${member.path} is larger than any real one`, {
      where,
      expected: `at most ${limit} bytes`,
      found: `${member.size} bytes`,
    });
  }
  const fd = openMember(member);
  try {
    const bytes = Buffer.alloc(member.size);
    let done = 0;
    while (done < bytes.length) {
      const count = readable(where, () => readSync(fd, bytes, done, bytes.length - done, member.offset + done));
      if (count === 0) throw new ExpectedError("TRUNCATED", `${member.path} ends early`, { where });
      done += count;
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Opens the file a member lies in, for reading, and never through a link that took its place meanwhile. */
export function openMember(member: Member): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = readable(`${member.file}: ${member.path}`, () => openSync(member.file, flags));
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new ExpectedError("MEMBER_KIND", `${member.path} is no longer a regular file`, { where: member.file });
}
