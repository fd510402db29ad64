/**
 * Writes the plain tar: the same members give the same bytes on any machine and day, whatever the umask or time zone.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { ExpectedError } from "#cli/errors";
import { type Digest, digestOf } from "./digest.ts";
import { chunkSize } from "./frames.ts";
import { blockSize, encodeHeader, paddingOf } from "./tar-header.ts";

/** A member to write: from memory, or `size` bytes of a file from `offset`, which must have this digest. */
export type TarMember = { readonly path: string; readonly mode: number } & (
  | { readonly content: Buffer }
  | { readonly file: string; readonly offset?: number; readonly size: number; readonly digest: Digest }
);

const endMark = Buffer.alloc(2 * blockSize);

/** A tar of small members, in memory. */
export function tarBytes(members: readonly { path: string; mode: number; content: Buffer }[]): Buffer {
  const parts = members.flatMap(({ path, mode, content }) => [
    encodeHeader(path, content.length, mode),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ]);
  return Buffer.concat([...parts, endMark]);
}

/**
 * Writes a new tar at `path` (with `mode` less the umask; it must not exist) and fsyncs it. A file that is not what its digest says is
 * DIGEST_MISMATCH; then, and on any other failure, nothing stays at `path`.
 */
export function writeTar(
  path: string,
  members: Iterable<TarMember>,
  progress?: (bytes: number) => void,
  mode = 0o644,
): void {
  const fd = openSync(path, "wx", mode);
  let done = 0;
  const write = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    done += bytes.length;
    progress?.(done);
  };
  try {
    for (const member of members) {
      const size = "content" in member ? member.content.length : member.size;
      write(encodeHeader(member.path, size, member.mode));
      if ("content" in member) write(member.content);
      else copyFile(member, write);
      write(Buffer.alloc(paddingOf(size)));
    }
    write(endMark);
    fsyncSync(fd);
  } catch (failure) {
    rmSync(path, { force: true });
    throw failure;
  } finally {
    closeSync(fd);
  }
}

function copyFile(member: Extract<TarMember, { file: string }>, write: (bytes: Buffer) => void): void {
  const fd = openSync(member.file, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(chunkSize, Math.max(member.size, 1)));
    const hash = createHash("sha256");
    let done = 0;
    while (done < member.size) {
      const length = Math.min(buffer.length, member.size - done);
      const count = readSync(fd, buffer, 0, length, (member.offset ?? 0) + done);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      write(buffer.subarray(0, count));
      done += count;
    }
    const found = hash.digest("hex");
    if (done === member.size && found === member.digest) return;
    throw new ExpectedError("DIGEST_MISMATCH", `${member.path} changed while the bundle was written`, {
      where: member.file,
      expected: `${member.digest} (${member.size} bytes)`,
      found: `${found} (${done} bytes)`,
    });
  } finally {
    closeSync(fd);
  }
}

/** The digest of a member that is written from memory. */
export function memberDigest(member: TarMember): Digest {
  return "content" in member ? digestOf(member.content) : member.digest;
}
