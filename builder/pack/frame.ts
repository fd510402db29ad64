/** The compressor of frames. What reads them is #bundle's. */
import { type ZstdCompress, constants, createZstdCompress } from "node:zlib";
import { chunkSize, windowLog } from "#bundle";

/** Names everything that decides a frame's bytes besides its contents; part of a cached frame's key. */
export function frameParameters(level: number): string {
  return `zstd level=${level} long=${windowLog} node=${process.versions["zstd"]}`;
}

/** A compressor for one frame that will hold `length` bytes. */
export function createFrame(length: number, level: number): ZstdCompress {
  // A window no larger than the input: small frames then need no 128 MB on either side.
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
