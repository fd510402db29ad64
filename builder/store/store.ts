/**
 * The builder's content-addressed store (default `~/.cache/kubeferry`):
 *
 *     sha256/<2 hex>/<64 hex>   contents, named by their digest
 *     temporary/                contents on their way; an interrupted build leaves some, `gc` takes them
 *     partial/                  downloads that were cut short and will be resumed (partial.ts)
 *     members/                  which contents an artifact gave (member-index.ts)
 *
 * Every content gets there by temporary file, fsync and rename, so two builds may use one store at the same time.
 * What is there is believed only after it was hashed, once for each Store and state of the file.
 */
import { randomBytes } from "node:crypto";
import { type Stats, statSync, utimesSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestFile, isDigest } from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import { moveIntoPlace, Staged } from "./staged.ts";

export interface Expected {
  readonly digest?: string;
  /** Bytes. */
  readonly size?: number;
  /** As for {@link Store.stage}. */
  readonly file?: string | null;
}

export class Store {
  readonly dir: string;
  /** Contents that were hashed and found right, with the state of the file at that time. */
  readonly #verified = new Map<string, string>();

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** Opens a store, making its folders where there are none. CONFIG_UNREADABLE when that is not possible. */
  static async open(dir: string): Promise<Store> {
    try {
      for (const name of ["sha256", "temporary", "partial", "members"]) {
        await mkdir(join(dir, name), { recursive: true, mode: 0o755 });
      }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === "EEXIST" || code === "ENOTDIR" ? "a file is in its way" : messageOf(cause);
      throw new ExpectedError("CONFIG_UNREADABLE", `the store cannot be made: ${why}`, {
        where: dir,
        hint: "give another folder with --cache DIR",
        cause,
      });
    }
    return new Store(dir);
  }

  /** Opens a store that is there, and makes nothing. USAGE when there is none. */
  static openExisting(dir: string): Store {
    if (statSync(join(dir, "sha256"), { throwIfNoEntry: false })?.isDirectory() === true) return new Store(dir);
    throw new ExpectedError("USAGE", "there is no store here", {
      where: dir,
      hint: "give its folder with --cache DIR; kubeferry fetch and kubeferry build make one",
    });
  }

  /** Where a content is, or would be. `digest` is 64 hex digits. */
  path(digest: string): string {
    if (!isDigest(digest)) throw new Error(`not a digest: ${digest}`);
    return join(this.dir, "sha256", digest.slice(0, 2), digest);
  }

  /** Whether the content is there and is what its name says; a damaged one counts as absent. */
  async has(digest: string): Promise<boolean> {
    const path = this.path(digest);
    const state = stateOf(path);
    if (state === null) return false;
    if (this.#verified.get(digest) === state) return true;
    try {
      if (digestFile(path).digest !== digest) return false;
      // What was used lately is what gc keeps.
      const now = new Date();
      utimesSync(path, now, now);
    } catch {
      return false;
    }
    this.#verified.set(digest, stateOf(path) ?? state);
    return true;
  }

  /**
   * A new content to write to, committed or discarded by the caller. `file`: one of this file system that somebody else
   * writes the same bytes to, and that is moved into place instead of being copied.
   */
  async stage(file: string | null = null): Promise<Staged> {
    const place = (digest: Digest): string => this.path(digest);
    return file === null ? await Staged.create(this.newFile(), place) : await Staged.of(file, place);
  }

  /**
   * Takes a stream into the store. With `expected`, nothing is kept of another content: DIGEST_MISMATCH or SIZE_MISMATCH.
   * The stream is left as soon as it is longer than expected.
   */
  async put(bytes: AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<{ digest: Digest; size: number }> {
    const staged = await this.stage(expected.file);
    try {
      for await (const chunk of bytes) {
        if (expected.size !== undefined && staged.size + chunk.length > expected.size) {
          throw sizeMismatch(expected.size, "more");
        }
        await staged.write(chunk);
      }
      const found = await staged.finish();
      if (expected.size !== undefined && found.size !== expected.size) {
        throw sizeMismatch(expected.size, `${found.size} bytes`);
      }
      if (expected.digest !== undefined && found.digest !== expected.digest) {
        throw new ExpectedError("DIGEST_MISMATCH", "these are not the bytes that were wanted", {
          expected: expected.digest,
          found: found.digest,
        });
      }
      return await staged.commit();
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  /** A path for a new file that {@link adopt} takes; nothing is there yet. */
  newFile(): string {
    return join(this.dir, "temporary", randomBytes(12).toString("hex"));
  }

  /** Makes a file of the same file system, whose digest the caller has just computed, a content. The file is gone afterwards. */
  async adopt(path: string, digest: Digest): Promise<void> {
    const file = await open(path, "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await moveIntoPlace(path, this.path(digest));
  }

  /** NO_SPACE where a file of this store could not be written for want of it; any other error as it is. */
  explained(error: unknown): unknown {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code !== "ENOSPC" && code !== "EDQUOT") return error;
    return new ExpectedError("NO_SPACE", "the store's file system is full; what came so far stays for the next run", {
      where: this.dir,
      hint: "kubeferry store gc, or another folder with --cache DIR",
      cause: error,
    });
  }

  /** Takes a content away. */
  async remove(digest: string): Promise<void> {
    this.#verified.delete(digest);
    await rm(this.path(digest), { force: true });
  }
}

/** Changes whenever a file's content may have. */
function stateOf(path: string): string | null {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    return null;
  }
  return found?.isFile() === true ? `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : null;
}

function sizeMismatch(wanted: number, found: string): ExpectedError {
  return new ExpectedError("SIZE_MISMATCH", "these are not the bytes that were wanted", {
    expected: `${wanted} bytes`,
    found,
  });
}
