/** Makes each group's frame, or takes it from the store, where an earlier build left it. */
import { createHash } from "node:crypto";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ZstdCompress } from "node:zlib";
import pLimit from "p-limit";
import * as z from "zod";
import { type Digest, chunkSize, digestOf, isDigest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import { replaceFile } from "../durable-file.ts";
import { foreignNote, readNote, sealNote } from "../store/sealed-note.ts";
import type { ContentStore } from "./content-store.ts";
import { createFrame, frameParameters } from "./frame.ts";
import type { Group } from "./groups.ts";

/** A group's frame: `digest` and `size` of its stored bytes, which lie in the store; `length` is what comes out. */
export interface Frame {
  readonly group: Group;
  readonly digest: Digest;
  readonly size: number;
  readonly length: number;
  /** True when an earlier build had made it. */
  readonly cached: boolean;
}

export interface CompressOptions {
  readonly store: ContentStore;
  readonly level: number;
  readonly reporter: Pick<Reporter, "progress" | "warn">;
}

/** Frames in work at one time, and the sum of their windows: the memory of a build is mostly that. */
const parallel = 4;
const windowBudget = 192 * 1024 * 1024;
const largestWindow = 128 * 1024 * 1024;

/** The frames of all groups, in their order. Compression runs in libuv's pool, the largest group first. */
export async function compressGroups(groups: readonly Group[], options: CompressOptions): Promise<Frame[]> {
  const limit = pLimit(parallel);
  const budget = new Budget(windowBudget);
  const total = groups.reduce((sum, group) => sum + lengthOf(group), 0);
  let done = 0;
  const report = (bytes: number): void => {
    done += bytes;
    options.reporter.progress("compress", done, total);
  };
  const order = groups.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  const frames = await Promise.all(
    order.map((group) =>
      limit(() => budget.use(Math.min(lengthOf(group), largestWindow), () => frameOf(group, options, report))),
    ),
  );
  const byName = new Map(frames.map((frame) => [frame.group.name, frame]));
  return groups.flatMap((group) => byName.get(group.name) ?? []);
}

/** So many bytes at one time; who asks for more waits, and the rest behind it goes first where it fits. */
class Budget {
  #free: number;
  #waiting: { bytes: number; start: () => void }[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
  }

  async use<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (bytes > this.#free) await new Promise<void>((start) => this.#waiting.push({ bytes, start }));
    else this.#free -= bytes;
    try {
      return await work();
    } finally {
      this.#free += bytes;
      this.#waiting = this.#waiting.filter(({ bytes: wanted, start }) => {
        if (wanted > this.#free) return true;
        this.#free -= wanted;
        start();
        return false;
      });
    }
  }
}

async function frameOf(group: Group, options: CompressOptions, report: (bytes: number) => void): Promise<Frame> {
  const { store, level } = options;
  const length = lengthOf(group);
  const key = digestOf(JSON.stringify([frameParameters(level), group.contents.map(({ digest }) => digest)]));
  const name = `frames/${key}`;
  const known = readFrame(store.dir, name, options.reporter);
  if (known !== null && (await isIntact(store, known))) {
    report(length);
    return { group, ...known, length, cached: true };
  }
  const compressor = createFrame(length, level);
  const fed = feed(compressor, bytesOf(group, store, report)).catch((error: Error) => compressor.destroy(error));
  try {
    const made = await store.put(compressor as AsyncIterable<Uint8Array>);
    await writeFrame(store.dir, name, made);
    return { group, ...made, length, cached: false };
  } finally {
    compressor.destroy();
    await fed;
  }
}

/**
 * Ends the compressor only after it has taken the last chunk. A stream that is told its end while a chunk still waits
 * gives Node's zstd the end twice, and it writes a second, empty frame.
 */
async function feed(compressor: ZstdCompress, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    if (!(await written(compressor, chunk))) return;
  }
  compressor.end();
}

/** False when the compressor was destroyed: Node then never says what became of a chunk that it had begun with. */
function written(compressor: ZstdCompress, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    if (compressor.destroyed) return closed();
    compressor.once("close", closed);
    compressor.write(chunk, (error) => {
      compressor.off("close", closed);
      resolve(!error);
    });
  });
}

/** A group's bytes in chunks whose borders depend on the contents alone; each content is hashed on the way. */
async function* bytesOf(group: Group, store: ContentStore, report: (bytes: number) => void): AsyncGenerator<Buffer> {
  for (const { digest, size, bytes } of group.contents) {
    if (bytes !== undefined) {
      if (bytes.length > 0) yield bytes;
      report(bytes.length);
      continue;
    }
    const hash = createHash("sha256");
    const path = store.path(digest);
    const file = await open(path, "r");
    let total = 0;
    try {
      while (total < size) {
        // Not reused: the compressor reads it after this generator went on.
        const buffer = Buffer.allocUnsafe(Math.min(chunkSize, size - total));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, total);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        total += bytesRead;
        report(bytesRead);
        yield chunk;
      }
    } finally {
      await file.close();
    }
    const found = hash.digest("hex");
    if (found !== digest || total !== size) {
      throw new ExpectedError("DIGEST_MISMATCH", "a blob in the store was damaged", {
        where: path,
        expected: `${digest} (${size} bytes)`,
        found: `${found} (${total} bytes)`,
        hint: `rm ${path}, then build again`,
      });
    }
  }
}

const noteSchema = z.strictObject({
  digest: z.custom<Digest>((value) => typeof value === "string" && isDigest(value)),
  size: z.int().nonnegative(),
});

/** Which frame an earlier build made; null when none did. A frame is packed as it lies there, so the note must be our own. */
function readFrame(
  store: string,
  name: string,
  reporter: CompressOptions["reporter"],
): z.infer<typeof noteSchema> | null {
  const note = readNote(store, name);
  if (note.kind === "foreign") reporter.warn(foreignNote(note));
  return note.kind === "own" ? noteSchema.parse(JSON.parse(note.text)) : null;
}

async function writeFrame(store: string, name: string, frame: { digest: Digest; size: number }): Promise<void> {
  const path = join(store, name);
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, sealNote(store, name, JSON.stringify({ digest: frame.digest, size: frame.size })), 0o644);
}

async function isIntact(store: ContentStore, frame: { digest: Digest; size: number }): Promise<boolean> {
  return (await store.has(frame.digest)) && (await stat(store.path(frame.digest))).size === frame.size;
}

function lengthOf(group: Group): number {
  return group.contents.reduce((sum, { size }) => sum + size, 0);
}
