/** From an artifact's stream to the members that are wanted: a .deb, or a tar, told by its first bytes. */
import { ExpectedError } from "#cli/errors";
import type { Store } from "../store/store.ts";
import { ByteReader, EndOfStream, refusingCut } from "./byte-reader.ts";
import { dataOfDeb, isAr } from "./deb.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { defaultLimits, type Entry, type Limits } from "./entry.ts";
import { type TakeResult, takeMembers } from "./take-members.ts";
import { isTar, readTar } from "./tar.ts";

export interface UnpackRequest {
  readonly patterns: readonly string[];
  readonly store: Store;
  readonly limits?: Limits | undefined;
  /** See `Wanted.whole`. */
  readonly whole?: boolean;
}

/** Reads a stream once, and no further than is needed. The stream is not closed. */
export async function unpack(source: AsyncIterable<Uint8Array>, request: UnpackRequest): Promise<TakeResult> {
  const { patterns, limits = defaultLimits, whole = false, store } = request;
  const reader = new ByteReader(source);
  return await refusingCut(async () => {
    const rooted = isAr(await reader.peek(8));
    const entries = contentOf(rooted ? dataOfDeb(reader) : reader.stream(), limits, whole);
    return await takeMembers(entries, { patterns, limits, rooted, whole }, store);
  });
}

/** A tar, plain or compressed once. */
async function* contentOf(stream: AsyncIterable<Uint8Array>, limits: Limits, whole: boolean): AsyncGenerator<Entry> {
  const packed = new ByteReader(stream);
  const compression = compressionOf(await packed.peek(6));
  const reader = new ByteReader(bounded(decompress(packed.stream(), compression), packed, limits));
  try {
    const start = await reader.peek(512);
    if (!isTar(start)) {
      if (start.length < 512) throw new EndOfStream("no archive");
      throw new ExpectedError(
        "ARCHIVE_INVALID",
        "this is no archive that is known (tar, tar.gz, tar.xz, tar.zst, deb)",
      );
    }
    yield* readTar(reader);
    // What is left is padding; reading it out lets the decompressor check its own trailer.
    if (whole) for await (const _ of reader.stream());
  } finally {
    await reader.close();
  }
}

const alwaysAllowed = 64 * 1024 * 1024;

async function* bounded(
  source: AsyncIterable<Uint8Array>,
  input: ByteReader,
  limits: Limits,
): AsyncGenerator<Uint8Array> {
  let out = 0;
  for await (const chunk of source) {
    out += chunk.length;
    if (out > limits.total || (out > alwaysAllowed && out > limits.ratio * input.position)) {
      throw new ExpectedError("ARCHIVE_BOMB", `${out} bytes came out of ${input.position}`);
    }
    yield chunk;
  }
}
