/** From an artifact's stream to the members that are wanted, whatever kind of archive it is (told by its first bytes). */
import { ExpectedError } from "#cli/errors";
import { ByteReader, EndOfStream } from "./byte-reader.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { defaultLimits, type Entry, type Limits } from "./entry.ts";
import { type TakeResult, takeMembers } from "./take-members.ts";
import type { Store } from "../store/store.ts";
import { dataOfDeb, isAr } from "./deb.ts";
import { isCpio, isRpm, readCpio, skipToPayload } from "./rpm.ts";
import { isTar, readTar } from "./tar.ts";
import { isZip, readZip } from "./zip.ts";

export interface UnpackRequest {
  readonly patterns: readonly string[];
  readonly store: Store;
  readonly limits?: Limits;
  /** See `Wanted.whole`. */
  readonly whole?: boolean;
}

/** `file`: this kind can only be read from a file that is there as a whole (zip). */
export type Unpacked = TakeResult | "file";

/** Reads a stream once, and no further than is needed. The stream is not closed. */
export async function unpackStream(source: AsyncIterable<Uint8Array>, request: UnpackRequest): Promise<Unpacked> {
  const reader = new ByteReader(source);
  const start = await reader.peek(512);
  if (isZip(start)) return "file";
  return await mapEnd(async () => {
    if (isAr(start)) return await take(contentOf(dataOfDeb(reader), request), request, true);
    if (isRpm(start)) {
      await skipToPayload(reader);
      return await take(contentOf(reader.stream(), request), request, true);
    }
    return await take(contentOf(reader.stream(), request), request, false);
  });
}

/** The same from a file, for zip. */
export async function unpackFile(path: string, request: UnpackRequest): Promise<TakeResult> {
  return await mapEnd(async () => await take(readZip(path), request, false));
}

/** A tar or cpio, plain or compressed once. */
async function* contentOf(stream: AsyncIterable<Uint8Array>, request: UnpackRequest): AsyncGenerator<Entry> {
  const counted = counter(stream);
  const packed = new ByteReader(counted.stream);
  const compression = compressionOf(await packed.peek(6));
  const plain = decompress(packed.stream(), compression);
  const reader = new ByteReader(bounded(plain, counted, request.limits ?? defaultLimits));
  try {
    const start = await reader.peek(512);
    if (isCpio(start)) yield* readCpio(reader);
    else if (isTar(start) || isEmptyTar(start)) yield* readTar(reader);
    else if (start.length < 512) throw new EndOfStream("no archive");
    else
      throw new ExpectedError(
        "ARCHIVE_INVALID",
        "this is no archive that is known (tar, tar.gz, tar.xz, tar.zst, zip, deb, rpm)",
      );
    // What is left is padding; reading it out lets the decompressor check its own trailer.
    while (request.whole === true && !(await reader.atEnd())) await reader.upTo(1024 * 1024);
  } finally {
    await reader.close();
  }
}

async function take(entries: AsyncIterable<Entry>, request: UnpackRequest, rooted: boolean): Promise<TakeResult> {
  const { patterns, limits = defaultLimits, whole = false } = request;
  return await takeMembers(entries, { patterns, limits, rooted, whole }, request.store);
}

function isEmptyTar(start: Buffer): boolean {
  return start.length === 512 && start.every((byte) => byte === 0);
}

interface Counted {
  readonly stream: AsyncIterable<Uint8Array>;
  bytes: number;
}

function counter(source: AsyncIterable<Uint8Array>): Counted {
  const counted: Counted = { bytes: 0, stream: count() };
  async function* count(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      counted.bytes += chunk.length;
      yield chunk;
    }
  }
  return counted;
}

const alwaysAllowed = 64 * 1024 * 1024;

async function* bounded(source: AsyncIterable<Uint8Array>, input: Counted, limits: Limits): AsyncGenerator<Uint8Array> {
  let out = 0;
  for await (const chunk of source) {
    out += chunk.length;
    if (out > limits.total || (out > alwaysAllowed && out > limits.ratio * input.bytes)) {
      throw new ExpectedError("ARCHIVE_BOMB", `${out} bytes came out of ${input.bytes}`);
    }
    yield chunk;
  }
}

async function mapEnd<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof EndOfStream)) throw cause;
    throw new ExpectedError("TRUNCATED", `the archive ends too early: ${cause.message}`, { cause });
  }
}
