/**
 * Frames: a blob is one zstd frame that holds several contents one after the other.
 *
 * Long-distance matching over a window finds the code that Go binaries share. One frame a blob and never two,
 * because Node's decoder drops what follows the first; length and digests are checked because a decoder alone would
 * let a cut frame pass (shared/reference/packaging.md).
 */
import { closeSync, readSync } from "node:fs";
import { type ZstdDecompress, constants, createZstdDecompress } from "node:zlib";
import { ExpectedError, isExpected } from "#cli/errors";
import { type Digest, digestFile } from "./digest.ts";
import { type Member, openMember, readMember } from "./member.ts";
import { readable } from "./readable.ts";

/** Reads and decoder output, in bytes: Node's defaults cost a factor of two to four. */
export const chunkSize = 1024 * 1024;
/** Base 2 logarithm of the longest window: older bundles have frames of 128 MiB, see frame-writer.ts for ours. */
const windowLogMax = 27;
/** Frames of no more bytes need no window worth counting. */
const wholeLimit = 1024 * 1024;

/** Where a blob lies in the bundle. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest}`;
}

/** The bytes that decoding a frame needs besides its chunks: its window, as its header says. */
export function windowOf(member: Member, length: number): number {
  if (length <= wholeLimit || member.size < 6) return length;
  const [descriptor = 0, window = 0] = readMember({ ...member, offset: member.offset + 4, size: 2 }, 2);
  // Single segment: what comes out is the window.
  if ((descriptor & 0x20) !== 0) return length;
  return (2 ** (10 + (window >> 3)) / 8) * (8 + (window & 7));
}

/**
 * What a frame holds, in chunks that are lent until the next one is asked for. Its stored bytes are hashed before the decoder
 * sees them; then not one byte beyond `length` is taken from it. `halt` is called between chunks, and may throw.
 * DIGEST_MISMATCH, SIZE_MISMATCH, ARCHIVE_INVALID.
 */
export async function* decodeFrame(
  member: Member,
  blob: Digest,
  length: number,
  halt: () => void = () => undefined,
): AsyncGenerator<Buffer> {
  const where = `${member.file}: ${member.path}`;
  const stored = digestFile(member.file, member.offset, member.size, halt);
  if (stored.digest !== blob) {
    throw new ExpectedError("DIGEST_MISMATCH", "a blob is not what its name says", {
      where,
      expected: blob,
      found: stored.digest,
      hint: "copy the bundle again from where it was built",
    });
  }
  if (member.size === 0) throw notOneFrame(where);
  const decoder = createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } });
  const fd = openMember(member);
  let total = 0;
  try {
    feed(decoder, fd, member, where);
    for await (const chunk of decoder as AsyncIterable<Buffer<ArrayBuffer>>) {
      halt();
      total += chunk.length;
      if (total > length) throw wrongLength(where, length, `more than ${length} bytes`);
      yield chunk;
      release(chunk);
    }
  } catch (cause) {
    if (isExpected(cause) || !isDecoderError(cause)) throw cause;
    throw notOneFrame(where, cause);
  } finally {
    decoder.destroy();
    closeSync(fd);
  }
  if (total !== length) throw wrongLength(where, length, `${total} bytes`);
  // The decoder stops silently at the end of the first frame.
  if (decoder.bytesWritten !== member.size) throw notOneFrame(where);
}

/** Gives memory back at once: V8 collects what lies outside of its heap only when there are 64 MB of it. */
export function release({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  // The decoder goes on writing into a buffer that is not full.
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}

/**
 * Gives the decoder the frame as fast as it takes it. Nobody waits for this: once the decoder is destroyed it asks for
 * nothing more. (The promise of a `pipeline` whose end is destroyed may never settle, and a process with nothing else
 * to wait for then ends, with 0.)
 */
function feed(decoder: ZstdDecompress, fd: number, { offset, size }: Member, where: string): void {
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, size));
  let fed = 0;
  const more = (): void => {
    if (decoder.destroyed) return;
    try {
      const wanted = Math.min(buffer.length, size - fed);
      const count = readable(where, () => readSync(fd, buffer, 0, wanted, offset + fed));
      fed += count;
      if (count === 0) decoder.end();
      // The buffer is used again only when the decoder has taken all of it.
      else decoder.write(buffer.subarray(0, count), (error) => (error ? undefined : more()));
    } catch (error) {
      decoder.destroy(error as Error);
    }
  };
  more();
}

function notOneFrame(where: string, cause?: unknown): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", "a blob is not one whole zstd frame", { where, cause });
}

function wrongLength(where: string, length: number, found: string): ExpectedError {
  const detail = { where, expected: `${length} bytes`, found };
  return new ExpectedError("SIZE_MISMATCH", "a blob decodes to another length than the index says", detail);
}

function isDecoderError(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && /^(ZSTD_|Z_|ERR_ZLIB|ERR_BUFFER)/.test(String(cause.code));
}
