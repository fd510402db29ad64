/**
 * Takes the contents of one frame, in one pass: decoded once, each content hashed, and where it is requested as a file written
 * beside its place, which gets its name after fsync.
 */
import { createHash } from "node:crypto";
import { closeSync, fsync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import { ExpectedError } from "#cli/errors";
import type { Digest } from "./digest.ts";
import { decodeFrame } from "./frames.ts";
import type { Member } from "./member.ts";

const flush = promisify(fsync);
/** Contents of a frame that are written and not yet on the disk. Each keeps a thread of libuv's, which decodes as well. */
const mostOpen = 2;

/** One content in a frame; with the file that it shall be in, where it shall. */
export interface FileChunk {
  readonly digest: Digest;
  readonly offset: number;
  readonly size: number;
  readonly file?: string;
}

/** A frame and what is requested of it. Plain data: it goes to other threads. */
export interface FrameJob {
  readonly member: Member;
  readonly blob: Digest;
  /** Bytes that come out. */
  readonly length: number;
  readonly pieces: readonly FileChunk[];
}

/** Checks every piece; those with a `file` are there afterwards: 0600, fsynced, and under that name only when they are right. */
export async function takeFrame(job: FrameJob, halt: () => void): Promise<void> {
  await eachPiece(job, halt, (piece) =>
    piece.file === undefined ? new CheckedChunk(piece) : new PlacedFile(piece, piece.file),
  );
}

/** All pieces in memory. */
export async function holdFrame(job: FrameJob, contents: Map<Digest, Buffer>): Promise<void> {
  await eachPiece(
    job,
    () => undefined,
    (piece) => new HeldChunk(piece, contents),
  );
}

async function eachPiece(
  { member, blob, length, pieces: unsorted }: FrameJob,
  halt: () => void,
  open: (piece: FileChunk) => CheckedChunk,
): Promise<void> {
  const pieces = unsorted.toSorted((a, b) => a.offset - b.offset || a.size - b.size);
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
    for await (const chunk of decodeFrame(member, blob, length, halt)) {
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
      if (next === pieces.length && position < length) break;
    }
    const cut = pieces[next];
    if (cut !== undefined) {
      throw new ExpectedError("TRUNCATED", `content ${cut.digest} reaches past the end of its blob`, {
        where: `${member.file}: ${member.path}`,
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
    // The decoder takes its chunks back.
    this.#parts.push(Buffer.from(bytes));
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
