/** Where an image's bytes can be read: a registry, an OCI layout, a docker archive. None of them is trusted. */
import type { Digest } from "#bundle";
import type { ImageBlob } from "./image-manifest.ts";

/** Bytes of a manifest or index as they came, and the media type that came with them (null: none did). */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string | null;
}

export interface ImageSource {
  /** For messages: `registry.k8s.io/pause`, `oci:images/pause`. */
  readonly where: string;
  /** The manifest or index of a tag, or of `sha256:<hex>`. NOT_FOUND when there is none. The caller checks the digest. */
  manifest(tagOrDigest: string): Promise<RawManifest>;
  /** The bytes of a blob, never more than its size. The caller checks the digest. */
  blob(blob: ImageBlob): AsyncIterable<Uint8Array>;
}

/** The part of the store that images need: content-addressed by plain SHA-256, verified as it is written. */
export interface BlobStore {
  path(digest: string): string;
  has(digest: string): Promise<boolean>;
  /** Throws DIGEST_MISMATCH or SIZE_MISMATCH, and keeps nothing then. */
  put(
    bytes: AsyncIterable<Uint8Array>,
    expected?: { digest?: string; size?: number },
  ): Promise<{ digest: Digest; size: number }>;
}

/** Reads a stream that must not be longer than `limit` bytes into memory; null when it is. */
export async function readAtMost(bytes: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Bytes that are already in memory, as a stream for {@link BlobStore.put}. */
// eslint-disable-next-line require-yield, typescript/require-await
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
