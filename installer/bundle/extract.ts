/** Takes contents out of frames into files: each frame is decoded once, each content checked before it gets its name. */
import { createHash } from "node:crypto";
import { closeSync, fsync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { ExpectedError } from "#cli/errors";
import type { Digest } from "./digest.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath, decodeFrame } from "./frames.ts";
import type { Source } from "./member.ts";

const flush = promisify(fsync);
/** Contents that are written and not yet on the disk. */
const mostOpen = 8;

interface FileChunk {
  readonly digest: Digest;
  readonly offset: number;
  readonly size: number;
}

/**
 * Writes each requested content to the path that `place` gives it: mode 0600, fsynced, and under that name only when
 * digest and length are right. MEMBER_MISSING for a digest that the index does not have.
 */
export async function extractContents(
  source: Source,
  index: BundleIndex,
  requested: ReadonlySet<Digest>,
  place: (digest: Digest) => string,
): Promise<void> {
  const directories = new Set<string>();
  for (const [blob, pieces] of piecesByBlob(source, index, requested)) {
    await eachPiece(source, index, blob, pieces, (piece) => {
      const path = place(piece.digest);
      directories.add(dirname(path));
      return new PlacedFile(piece, path);
    });
  }
  for (const directory of directories) {
    const fd = openSync(directory, "r");
    await flush(fd).finally(() => closeSync(fd));
  }
}

/** The same in memory, for contents that are small. */
export async function readContents(
  source: Source,
  index: BundleIndex,
  requested: ReadonlySet<Digest>,
): Promise<Map<Digest, Buffer>> {
  const contents = new Map<Digest, Buffer>();
  for (const [blob, pieces] of piecesByBlob(source, index, requested)) {
    await eachPiece(source, index, blob, pieces, (piece) => new HeldChunk(piece, contents));
  }
  return contents;
}

/** Decodes every frame and checks every content's digest, writing nothing: what `verify` does with `contents`. */
export async function checkContents(source: Source, index: BundleIndex): Promise<void> {
  const all = new Set(Object.keys(index.contents) as Digest[]);
  for (const [blob, pieces] of piecesByBlob(source, index, all)) {
    await eachPiece(source, index, blob, pieces, (piece) => new CheckedChunk(piece));
  }
}

function piecesByBlob(source: Source, index: BundleIndex, requested: ReadonlySet<Digest>): Map<Digest, FileChunk[]> {
  const byBlob = new Map<Digest, FileChunk[]>();
  for (const digest of requested) {
    const content = index.contents[digest];
    if (content === undefined) {
      throw new ExpectedError("MEMBER_MISSING", `content ${digest} is not in this bundle`, { where: source.where });
    }
    const pieces = byBlob.get(content.blob) ?? [];
    pieces.push({ digest, offset: content.offset, size: content.size });
    byBlob.set(content.blob, pieces);
  }
  return byBlob;
}

async function eachPiece(
  source: Source,
  index: BundleIndex,
  blob: Digest,
  unsorted: readonly FileChunk[],
  open: (piece: FileChunk) => CheckedChunk,
): Promise<void> {
  const pieces = unsorted.toSorted((a, b) => a.offset - b.offset || a.size - b.size);
  const member = source.members.get(blobPath(blob));
  const entry = index.blobs[blob];
  if (member === undefined || entry === undefined) {
    throw new ExpectedError("MEMBER_MISSING", `${blobPath(blob)} is not in this bundle`, { where: source.where });
  }
  const closing: Promise<unknown>[] = [];
  let current: CheckedChunk | undefined;
  let next = 0;
  let position = 0;
  // Empty contents need no byte, and may stand at the very end of a frame.
  const takeEmpty = async (): Promise<void> => {
    for (let piece = pieces[next]; piece?.size === 0; piece = pieces[next]) await close(open(piece));
  };
  // Flushed while the next ones are written, but a bounded number at a time: each is an open file.
  const close = async (piece: CheckedChunk): Promise<void> => {
    closing.push(settle(piece.finish()));
    next += 1;
    await closing.at(-mostOpen);
  };
  try {
    await takeEmpty();
    for await (const chunk of decodeFrame(member, blob, entry.length)) {
      const end = position + chunk.length;
      for (let piece = pieces[next]; piece !== undefined && piece.offset < end; piece = pieces[next]) {
        if (piece.offset < position && current === undefined) throw overlap(member.path, piece);
        current ??= open(piece);
        const last = piece.offset + piece.size;
        current.write(chunk.subarray(Math.max(piece.offset - position, 0), Math.min(last, end) - position));
        if (last > end) break;
        const whole = current;
        current = undefined;
        await close(whole);
        await takeEmpty();
      }
      position = end;
      // At its end the frame itself is still checked; before it, nobody wants the rest.
      if (next === pieces.length && position < entry.length) break;
    }
    const cut = pieces[next];
    if (cut !== undefined) {
      throw new ExpectedError("TRUNCATED", `content ${cut.digest} reaches past the end of its blob`, {
        where: `${source.where}: ${member.path}`,
      });
    }
  } finally {
    current?.abandon();
    await Promise.all(closing);
  }
  for (const failure of await Promise.all(closing)) if (failure !== undefined) throw failure;
}

function overlap(member: string, piece: FileChunk): ExpectedError {
  return new ExpectedError("FORMAT_INVALID", `content ${piece.digest} overlaps another one`, { where: member });
}

/** So that a failure in the background waits to be looked at, instead of ending the process. */
async function settle(task: Promise<void>): Promise<unknown> {
  try {
    await task;
    return undefined;
  } catch (failure) {
    return failure;
  }
}

/** Hashes one content. */
class CheckedChunk {
  readonly piece: FileChunk;
  readonly #hash = createHash("sha256");

  constructor(piece: FileChunk) {
    this.piece = piece;
  }

  write(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  async finish(): Promise<void> {
    const found = this.#hash.digest("hex");
    if (found === this.piece.digest) return;
    throw new ExpectedError("DIGEST_MISMATCH", "a content is not what the index says", {
      expected: this.piece.digest,
      found,
    });
  }

  abandon(): void {}
}

/** Hashes one content and holds it. */
class HeldChunk extends CheckedChunk {
  readonly #contents: Map<Digest, Buffer>;
  readonly #parts: Buffer[] = [];

  constructor(piece: FileChunk, contents: Map<Digest, Buffer>) {
    super(piece);
    this.#contents = contents;
  }

  override write(bytes: Buffer): void {
    super.write(bytes);
    this.#parts.push(bytes);
  }

  override async finish(): Promise<void> {
    await super.finish();
    this.#contents.set(this.piece.digest, Buffer.concat(this.#parts));
  }
}

/** Hashes one content and writes it beside its place; it gets its name after fsync, while the next one is written. */
class PlacedFile extends CheckedChunk {
  readonly #path: string;
  readonly #partial: string;
  readonly #fd: number;

  constructor(piece: FileChunk, path: string) {
    super(piece);
    this.#path = path;
    this.#partial = `${path}.partial`;
    // What a killed run left; opened anew so that mode and file are certainly ours.
    rmSync(this.#partial, { force: true });
    this.#fd = openSync(this.#partial, "wx", 0o600);
  }

  override write(bytes: Buffer): void {
    super.write(bytes);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
  }

  override async finish(): Promise<void> {
    try {
      await super.finish();
      await flush(this.#fd);
    } catch (failure) {
      this.abandon();
      throw failure;
    }
    closeSync(this.#fd);
    renameSync(this.#partial, this.#path);
  }

  override abandon(): void {
    closeSync(this.#fd);
    rmSync(this.#partial, { force: true });
  }
}
