/** Where an image's bytes can be read: a registry, an OCI layout, a docker archive. None of them is trusted. */
import type { ImageBlob } from "./manifest.ts";

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
