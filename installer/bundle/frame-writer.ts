/** Makes one frame of several contents, in one pass: each is hashed on its way in, the frame on its way out. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { type ZstdCompress, constants, createZstdCompress } from "node:zlib";
import { ExpectedError } from "#cli/errors";
import type { Digest } from "./digest.ts";
import { chunkSize, release } from "./frames.ts";

/** 32 MiB, so that every core can have a window within the memory that a small node spares. */
const windowLog = 25;

/** Names everything that decides a frame's bytes besides its contents; part of a cached frame's key. */
export function frameParameters(level: number): string {
  return `zstd level=${level} long=${windowLog} node=${process.versions["zstd"]}`;
}

/** A compressor for one frame that will hold `length` bytes. */
export function createFrame(length: number, level: number): ZstdCompress {
  // A window no larger than the input: small frames then need no 32 MB on either side.
  const fitting = Math.min(windowLog, Math.max(10, Math.ceil(Math.log2(length + 1))));
  return createZstdCompress({
    chunkSize,
    pledgedSrcSize: length,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: fitting,
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
}

/** A frame to be made. Plain data: it goes to other threads. */
export interface FrameToMake {
  /** A new file for it; who asks for it takes care of what is left there after a failure. */
  readonly file: string;
  /** zstd's. */
  readonly level: number;
  /** Bytes of all contents. */
  readonly length: number;
  readonly contents: readonly ContentToPack[];
}

/** From memory, or a whole file that must have this digest. */
export interface ContentToPack {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes?: Uint8Array | undefined;
  readonly file?: string | undefined;
}

/** Digest and size of the frame, which is in its file then and not yet flushed. DIGEST_MISMATCH for a file that is another. */
export async function makeFrame(
  { file, level, length, contents }: FrameToMake,
  halt: () => void,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash("sha256");
  const out = openSync(file, "wx", 0o644);
  const compressor = createFrame(length, level);
  const fed = feed(compressor, contents).catch((error: Error) => void compressor.destroy(error));
  let size = 0;
  try {
    for await (const chunk of compressor as AsyncIterable<Buffer<ArrayBuffer>>) {
      halt();
      hash.update(chunk);
      for (let done = 0; done < chunk.length;) done += writeSync(out, chunk, done);
      size += chunk.length;
      release(chunk);
    }
    return { digest: hash.digest("hex") as Digest, size };
  } finally {
    compressor.destroy();
    await fed;
    closeSync(out);
  }
}

/**
 * Ends the compressor only after it has taken the last chunk. A stream that is told its end while a chunk still waits
 * gives Node's zstd the end twice, and it writes a second, empty frame.
 */
async function feed(compressor: ZstdCompress, contents: readonly ContentToPack[]): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(chunkSize);
  for (const content of contents) {
    if (content.bytes === undefined) {
      if (!(await feedFile(compressor, content, buffer))) return;
    } else if (content.size > 0 && !(await written(compressor, content.bytes))) return;
  }
  compressor.end();
}

/** In chunks whose borders depend on the content alone. False when the compressor was destroyed. */
async function feedFile(
  compressor: ZstdCompress,
  { digest, size, file = "" }: ContentToPack,
  buffer: Buffer,
): Promise<boolean> {
  const hash = createHash("sha256");
  const input = openSync(file, "r");
  let total = 0;
  try {
    while (total < size) {
      const count = readSync(input, buffer, 0, Math.min(chunkSize, size - total), total);
      if (count === 0) break;
      const chunk = buffer.subarray(0, count);
      hash.update(chunk);
      total += count;
      if (!(await written(compressor, chunk))) return false;
    }
  } finally {
    closeSync(input);
  }
  const found = hash.digest("hex");
  if (found === digest && total === size) return true;
  throw new ExpectedError("DIGEST_MISMATCH", "a blob in the store was damaged", {
    where: file,
    expected: `${digest} (${size} bytes)`,
    found: `${found} (${total} bytes)`,
    hint: `rm ${file}, then build again`,
  });
}

/** Once the compressor has taken all of a chunk. False when it was destroyed: Node then never says what became of it. */
function written(compressor: ZstdCompress, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    if (compressor.destroyed) return closed();
    compressor.once("close", closed);
    compressor.write(chunk, (error) => {
      compressor.off("close", closed);
      resolve(!error);
    });
  });
}
