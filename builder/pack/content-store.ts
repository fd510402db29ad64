/** What packing needs of the store. */
import type { Digest } from "#bundle";

export interface ContentStore {
  readonly dir: string;
  path(digest: Digest): string;
  /** True only for a content that was hashed and found right: "the file exists" is no proof. */
  has(digest: Digest): Promise<boolean>;
  /** A path for a new file, on the way to become a content. */
  newFile(): string;
  /** Makes such a file the content of this digest, durably. */
  adopt(path: string, digest: Digest): Promise<void>;
}
