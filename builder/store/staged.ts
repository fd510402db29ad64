/** A content on its way into the store: hashed while it is written, invisible until it is committed. */
import { createHash, type Hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Digest, syncFolder } from "#bundle";

export class Staged {
  readonly #path: string;
  /** Whether it is written here, and not by somebody else. */
  readonly #own: boolean;
  readonly #place: (digest: Digest) => string;
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  #size = 0;
  #digest: Digest | null = null;

  private constructor(path: string, place: (digest: Digest) => string, file: FileHandle, own: boolean) {
    this.#path = path;
    this.#own = own;
    this.#place = place;
    this.#file = file;
  }

  /** A new file, on the file system of what `place` names. */
  static async create(path: string, place: (digest: Digest) => string): Promise<Staged> {
    return new Staged(path, place, await open(path, "wx", 0o644), true);
  }

  /** A file that somebody else writes: what is written here is only hashed. It is theirs until it is committed. */
  static async of(path: string, place: (digest: Digest) => string): Promise<Staged> {
    return new Staged(path, place, await open(path, "r+"), false);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes a chunk, which is the caller's again when this returns. It is hashed while the kernel takes it. */
  async write(chunk: Uint8Array): Promise<void> {
    const writing = this.#own ? this.#append(chunk) : undefined;
    this.#hash.update(chunk);
    this.#size += chunk.length;
    await writing;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      offset += (await this.#file.write(chunk, offset, chunk.length - offset)).bytesWritten;
    }
  }

  /** No more bytes; they are on the disk when this returns. Still invisible. */
  async finish(): Promise<{ digest: Digest; size: number }> {
    if (this.#digest === null) {
      await this.#file.sync();
      await this.#file.close();
      this.#digest = this.#hash.digest("hex") as Digest;
    }
    return { digest: this.#digest, size: this.#size };
  }

  /** Puts the content in its place under its digest. */
  async commit(): Promise<{ digest: Digest; size: number }> {
    const made = await this.finish();
    await moveIntoPlace(this.#path, this.#place(made.digest));
    return made;
  }

  /** Leaves nothing behind. Harmless after `commit`. */
  async discard(): Promise<void> {
    if (this.#digest === null) await this.#file.close().catch(() => undefined);
    if (this.#own) await rm(this.#path, { force: true });
  }
}

/** Renames a file that is already on the disk, and makes the rename durable. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  await rename(from, to);
  await syncFolder(dirname(to));
}
