/** gzip, xz and zstd as streams. A cut stream is TRUNCATED, a broken one ARCHIVE_INVALID; neither passes silently. */
import type { Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { release } from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import { ByteReader, EndOfStream } from "./byte-reader.ts";
import { unxz } from "./xz.ts";
import { nextZstdFrame } from "./zstd-frames.ts";

type Compression = "gzip" | "xz" | "zstd" | "none";

/** Default chunks cost a factor of two to four. */
const chunkSize = 1024 * 1024;

/** By the first bytes (6 are enough). */
export function compressionOf(start: Uint8Array): Compression {
  const hex = Buffer.from(start).toString("hex");
  if (hex.startsWith("1f8b")) return "gzip";
  if (hex.startsWith("fd377a585a00")) return "xz";
  if (hex.startsWith("28b52ffd") || /^5.2a4d18/.test(hex)) return "zstd";
  return "none";
}

/** What is compressed in `source`, in chunks that are lent until the next one is asked for. Leaving it early stops the decompressor; `source` can then be read on. */
export function decompress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === "gzip") return through(source, createGunzip({ chunkSize }), "gzip");
  if (compression === "zstd") return unzstd(source);
  return compression === "xz" ? unxz(source) : source;
}

async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  for (;;) {
    const frame = await nextZstdFrame(reader);
    if (frame === null) return;
    const params = { [constants.ZSTD_d_windowLogMax]: 27 };
    yield* through(frame, createZstdDecompress({ chunkSize, params }), "zstd");
  }
}

/** Feeds a transform and yields what comes out; when left early, waits until nothing is being read from `source` any more. */
async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  name: string,
): AsyncGenerator<Uint8Array> {
  let stopped = false;
  let failed: { error: unknown } | undefined;
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (stopped) return;
        if (!transform.write(chunk)) await drained(transform);
        if (stopped) return;
      }
      transform.end();
    } catch (error) {
      failed = { error };
      transform.destroy();
    }
  })();
  try {
    for await (const chunk of transform as AsyncIterable<Buffer<ArrayBuffer>>) {
      yield chunk;
      release(chunk);
    }
  } catch (cause) {
    if (failed === undefined) throw mapped(name, cause);
  } finally {
    stopped = true;
    transform.destroy();
    await feeding;
  }
  if (failed !== undefined) throw failed.error;
}

/** Resolves when more can be written, or when nothing will be taken any more. */
async function drained(transform: Transform): Promise<void> {
  if (transform.destroyed || transform.errored !== null) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      transform.off("drain", settle).off("close", settle);
      resolve();
    };
    transform.on("drain", settle).on("close", settle);
  });
}

function mapped(name: string, cause: unknown): unknown {
  if (cause instanceof ExpectedError || cause instanceof EndOfStream) return cause;
  return (cause as { code?: unknown }).code === "Z_BUF_ERROR" ? truncated(name, cause) : invalid(name, cause);
}

function truncated(name: string, cause: unknown): ExpectedError {
  return new ExpectedError("TRUNCATED", `the ${name} stream ends too early`, { cause });
}

function invalid(name: string, cause: unknown): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", `the ${name} stream is broken: ${messageOf(cause)}`, { cause });
}
