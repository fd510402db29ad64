/**
 * Splits a zstd stream into its frames. Node 22 and 24 drop what follows the first frame within one write
 * (nodejs/node#64741), and may not notice a cut one, so the frames' own block headers are walked here.
 */
import { ExpectedError } from "#cli/errors";
import type { ByteReader } from "./byte-reader.ts";

const magic = 0xfd2fb528;
const firstSkippable = 0x184d2a50;

/** The next frame's bytes, whole; null at the end. Skippable frames are passed over. The caller reads it out. */
export async function nextZstdFrame(reader: ByteReader): Promise<AsyncGenerator<Uint8Array> | null> {
  for (;;) {
    if (await reader.atEnd()) return null;
    const start = await reader.exactly(4);
    const found = start.readUInt32LE();
    if (found === magic) return frame(reader, start);
    if ((found & 0xfffffff0) >>> 0 !== firstSkippable) {
      throw new ExpectedError("ARCHIVE_INVALID", "what follows a zstd frame is no zstd frame");
    }
    await reader.skip((await reader.exactly(4)).readUInt32LE());
  }
}

async function* frame(reader: ByteReader, start: Buffer): AsyncGenerator<Uint8Array> {
  yield start;
  const descriptor = await reader.exactly(1);
  const flags = descriptor[0] ?? 0;
  const single = (flags & 0x20) !== 0;
  const dictionaryId = [0, 1, 2, 4][flags & 3] ?? 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  yield descriptor;
  yield await reader.exactly((single ? 0 : 1) + dictionaryId + contentSize);
  for (let last = false; !last;) {
    const header = await reader.exactly(3);
    const value = header.readUIntLE(0, 3);
    last = (value & 1) === 1;
    const kind = (value >> 1) & 3;
    if (kind === 3) throw new ExpectedError("ARCHIVE_INVALID", "a zstd block is of no known kind");
    yield header;
    yield await reader.exactly(kind === 1 ? 1 : value >> 3);
  }
  if ((flags & 4) !== 0) yield await reader.exactly(4);
}
