/**
 * Lists a plain tar by its headers alone; the data stays where it is. Archives of upstream have a reader of their own
 * (`builder/archive/tar.ts`): it takes the extensions and links that no bundle may have (docs/decisions/0034), and a stream,
 * where this one leaps from header to header of a file.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { isCleanAbsolute } from "./clean-path.ts";
import { indexPath } from "./consistency.ts";
import type { IntegrityProblem } from "./problem.ts";
import { type Member, type Source, memberLimit } from "./member.ts";
import { readable } from "./readable.ts";
import { blockSize, decodeHeader, paddingOf } from "./tar-header.ts";

/** tar fills its last record with zeros; more than this behind the end is not filling. */
const fillLimit = 1024 * 1024;

/** Whether a listing may end before its next header is read. */
export type Enough = (members: ReadonlyMap<string, Member>) => boolean;

/** A tar of `size` bytes at `where` as a source. */
export function openTar(where: string, size: number, enough?: Enough): Source {
  const fd = readable(where, () => openSync(where, "r"));
  try {
    const read = (position: number, length: number): Buffer => {
      const block = Buffer.alloc(length);
      const count = readable(where, () => readSync(fd, block, 0, length, position));
      return block.subarray(0, count);
    };
    const listing = scanTar(where, size, read, enough);
    return { kind: "tar", where, ...listing };
  } finally {
    closeSync(fd);
  }
}

/**
 * The members of a tar whose bytes `read` gives (fewer at its end). Stops at the first header that cannot be trusted,
 * because after it nobody knows where the next one begins.
 */
export function scanTar(
  file: string,
  total: number,
  read: (position: number, length: number) => Buffer,
  enough: Enough = () => false,
): { members: Map<string, Member>; problems: IntegrityProblem[] } {
  const members = new Map<string, Member>();
  const problems: IntegrityProblem[] = [];
  let position = 0;
  let previous = "the start";
  const at = (): string => `byte ${position} (after ${previous})`;

  for (let count = 0; !enough(members); count += 1) {
    const block = read(position, blockSize);
    const foreign = count === 0 ? notTar(block) : null;
    if (foreign !== null) {
      problems.push({ member: "the start", ...foreign });
      break;
    }
    if (block.length < blockSize) {
      problems.push({ member: at(), code: "TRUNCATED", message: "the tar ends before its end mark" });
      break;
    }
    const header = decodeHeader(block);
    if (header.kind === "end") {
      problems.push(...checkEnd(position, total, read));
      break;
    }
    if (header.kind === "damaged") {
      problems.push({ member: at(), code: "ARCHIVE_INVALID", message: `a tar header is damaged: ${header.why}` });
      break;
    }
    if (header.kind === "other") {
      const message = `the bundle holds a member that is not a regular file: ${header.type}`;
      problems.push({ member: header.path, code: "MEMBER_KIND", message });
      break;
    }
    if (count >= memberLimit) {
      problems.push({ member: at(), code: "ARCHIVE_BOMB", message: `more than ${memberLimit} members` });
      break;
    }
    const { path, size, mode } = header;
    const offset = position + blockSize;
    const end = offset + size;
    if (end > total) {
      const detail = { expected: `${size} bytes`, found: `${total - offset} bytes` };
      problems.push({ member: path, code: "TRUNCATED", message: "the tar ends inside this member", ...detail });
      break;
    }
    if (!isCleanAbsolute(`/${path}`)) {
      problems.push({ member: path, code: "PATH_ESCAPES", message: "is not a clean relative path" });
    } else if (members.has(path)) {
      problems.push({ member: path, code: "MEMBER_DUPLICATE", message: "is in the tar more than once" });
    } else {
      members.set(path, { path, file, offset, size, mode, uid: 0 });
    }
    if ((mode & ~0o777) !== 0) {
      problems.push({ member: path, code: "MEMBER_KIND", message: "has special mode bits", found: mode.toString(8) });
    }
    const padding = read(end, paddingOf(size));
    if (padding.length < paddingOf(size)) {
      problems.push({ member: path, code: "TRUNCATED", message: "the tar ends in the padding of this member" });
      break;
    }
    if (padding.some((byte) => byte !== 0)) {
      problems.push({ member: path, code: "ARCHIVE_INVALID", message: "the padding behind this member is not zero" });
    }
    position = end + paddingOf(size);
    previous = path;
  }
  return { members, problems };
}

/** What a file is that was taken for a bundle by mistake; null for a tar, be it damaged. */
function notTar(block: Buffer): Pick<IntegrityProblem, "code" | "message" | "hint"> | null {
  const hint = "give the .tar that `kubeferry build` wrote";
  if (block.length === 0) return { code: "TRUNCATED", message: "this is not a bundle: the file is empty", hint };
  if (/^(1f8b|28b52ffd|fd377a58|425a68|504b0304)/.test(block.toString("hex", 0, 4)))
    return {
      code: "ARCHIVE_INVALID",
      message: "this is not a bundle: it is compressed, and a bundle is a plain tar",
      hint,
    };
  // A bundle whose magic is damaged still begins with its first member's name, and is to be carried again.
  const begins = (text: string, offset: number): boolean => block.toString("latin1", offset).startsWith(text);
  const isTar = begins("ustar", 257) || begins(`${indexPath}\0`, 0) || block.every((byte) => byte === 0);
  return isTar ? null : { code: "ARCHIVE_INVALID", message: "this is not a bundle: it is no tar", hint };
}

/** The end mark is two blocks of zeros; behind it tar may fill its record with more of them, and with nothing else. */
function checkEnd(
  position: number,
  total: number,
  read: (position: number, length: number) => Buffer,
): IntegrityProblem[] {
  const member = `byte ${position} (the end mark)`;
  const rest = total - position;
  if (rest < 2 * blockSize) return [{ member, code: "TRUNCATED", message: "the tar's end mark is cut" }];
  if (rest > fillLimit) {
    const message = "there is something behind the tar's end mark";
    return [{ member, code: "MEMBER_EXTRA", message, found: `${rest} bytes` }];
  }
  const dirty = read(position, rest).findIndex((byte) => byte !== 0);
  if (dirty < 0) return [];
  const message = "there is something behind the tar's end mark";
  return [{ member: `byte ${position + dirty}`, code: "MEMBER_EXTRA", message }];
}
