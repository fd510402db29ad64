/** What every archive format gives: its entries in the order of the file, and the limits within which they are read. */

export interface Entry {
  /** As written in the archive. */
  readonly name: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink" | "other";
  /** Bytes of the content, as the archive declares them. */
  readonly size: number;
  /** Target of a link, as written. */
  readonly target: string;
  /** The content. Unless it is read, it is passed over. */
  bytes(): AsyncIterable<Uint8Array>;
}

export interface Limits {
  /** Bytes of one member. */
  readonly member: number;
  /** Bytes of everything that comes out. */
  readonly total: number;
  /** Bytes out for a byte in, once more than 64 MiB came out. */
  readonly ratio: number;
  readonly members: number;
}

export const defaultLimits: Limits = { member: 4e9, total: 16e9, ratio: 250, members: 100_000 };
