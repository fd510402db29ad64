/** Digests: always SHA-256, always written as 64 lower-case hex digits. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readable } from "./readable.ts";

declare const brand: unique symbol;
/** 64 lower-case hex digits of a SHA-256. */
export type Digest = string & { readonly [brand]: "sha256" };

const pattern = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The digest of bytes or text (UTF-8) that are already in memory. */
export function digestOf(content: string | Uint8Array): Digest {
  return createHash("sha256").update(content).digest("hex") as Digest;
}

const bufferSize = 256 * 1024;
let buffer: Buffer | undefined;

/**
 * The digest of a file, or of `size` bytes of it from `offset`. Synchronous reads into one reused buffer:
 * four times the speed of a stream (shared/reference/performance.md). `halt` is called between them, and may throw.
 */
export function digestFile(
  path: string,
  offset = 0,
  size = Infinity,
  halt?: () => void,
): { digest: Digest; size: number } {
  const into = (buffer ??= Buffer.allocUnsafeSlow(bufferSize));
  const hash = createHash("sha256");
  const file = readable(path, () => openSync(path, "r"));
  let total = 0;
  try {
    while (total < size) {
      halt?.();
      const count = readable(path, () => readSync(file, into, 0, Math.min(bufferSize, size - total), offset + total));
      if (count === 0) break;
      hash.update(into.subarray(0, count));
      total += count;
    }
  } finally {
    closeSync(file);
  }
  return { digest: hash.digest("hex") as Digest, size: total };
}
