/** What packing needs of the store. */
import type { Digest } from "#bundle";

export interface ContentStore {
  readonly dir: string;
  path(digest: Digest): string;
  /** True only for a content that was hashed and found right: "the file exists" is no proof. */
  has(digest: Digest): Promise<boolean>;
  put(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }>;
}
