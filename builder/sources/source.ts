/**
 * A kind of place that bytes come from: `http`, `file`, `apt`, `rpm`, `oci`. A source says which bytes something is, and
 * opens them; it is believed in the first only where nobody else says it, and never in the second: whoever reads what
 * was opened holds it against a digest.
 */
import { createReadStream } from "node:fs";
import { Tap } from "../store/tap.ts";

/** Bytes that are there for as long as they are open. */
export interface Opened {
  /** How to tell people where they come from. */
  readonly where: string;
  /** As they come, from the network or the disk: hashed, unpacked and stored in this one pass. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** A file of ours that has them all once `bytes` was read to its end, and may be moved away; null: it is somebody else's. */
  readonly file: string | null;
  /** Once more, after `bytes` was read to its end. */
  again(): AsyncIterable<Uint8Array>;
}

/** `Handle` is what `open` needs to know of a thing that was resolved, or locked by an earlier run. */
export interface Source<Asked, Found, Handle = Found> {
  /** Exactly which bytes are meant: what a lock keeps. */
  resolve(asked: Asked): Promise<Found>;
  /** Gives what `take` makes of the bytes. NOT_FOUND where this source does not have them. */
  open<T>(handle: Handle, take: (opened: Opened) => Promise<T>): Promise<T>;
}

export interface Sum {
  /** `sha256:<hex>` */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** What `resolve` says where nobody published anything: which bytes there are now. */
export async function sumOf({ bytes }: Opened): Promise<Sum> {
  const tap = new Tap(bytes, "sha256");
  return { digest: await tap.drain(), size: tap.bytes };
}

interface ReadOptions {
  /** First byte and last one, counted from 0; default: all. */
  readonly start?: number;
  readonly end?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A file that is not ours. */
export function openedFile(where: string, path: string, options: ReadOptions = {}): Opened {
  return { where, bytes: readFile(path, options), file: null, again: () => readFile(path, options) };
}

/** Nothing is open of what nobody reads. */
async function* readFile(path: string, { start = 0, end = Infinity, signal }: ReadOptions): AsyncGenerator<Uint8Array> {
  // A range of no bytes cannot be asked of a stream of a file.
  if (end >= start)
    yield* createReadStream(path, { start, end, highWaterMark: 1024 * 1024, ...(signal && { signal }) });
}
