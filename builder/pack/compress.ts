/** Makes each group's frame, or takes it from the store, where an earlier build left it. */
import { rmSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { type Digest, digestOf, frameParameters, type FrameToMake, inPool, isDigest, replaceFile } from "#bundle";
import type { Reporter } from "#cli/reporter";
import { foreignNote, readNote, sealNote } from "../store/sealed-note.ts";
import type { ContentStore } from "./content-store.ts";
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
  readonly signal?: AbortSignal | undefined;
}

/** Windows, and what zstd and a thread need besides them: the memory of a build is mostly that. */
const mostThreads = 2;

/** The frames of all groups, in their order: made on all cores, the largest group first, where no earlier build left them. */
export async function compressGroups(groups: readonly Group[], options: CompressOptions): Promise<Frame[]> {
  const { store, level, reporter } = options;
  const total = groups.reduce((sum, group) => sum + lengthOf(group), 0);
  let done = 0;
  const report = (bytes: number): void => reporter.progress("compress", (done += bytes), total);
  const frames = new Map<Group, Frame>();
  const missing: Group[] = [];
  for (const group of groups) {
    const known = readFrame(store.dir, noteName(group, level), reporter);
    if (known !== null && (await isIntact(store, known))) {
      frames.set(group, { group, ...known, length: lengthOf(group), cached: true });
      report(lengthOf(group));
    } else missing.push(group);
  }
  const jobs = missing.map((group) => frameOf(group, options));
  try {
    const made = await inPool("make", jobs, {
      weight: ({ length }) => length,
      most: mostThreads,
      done: ({ length }) => report(length),
      signal: options.signal,
    });
    for (const [at, group] of missing.entries()) {
      const [job, frame] = [jobs[at], made[at]];
      if (job === undefined || frame === undefined) throw new Error(`no frame was made of ${group.name}`);
      await store.adopt(job.file, frame.digest);
      await writeFrame(store.dir, noteName(group, level), frame);
      frames.set(group, { group, ...frame, length: job.length, cached: false });
    }
  } finally {
    for (const { file } of jobs) rmSync(file, { force: true });
  }
  return groups.flatMap((group) => frames.get(group) ?? []);
}

function frameOf(group: Group, { store, level }: CompressOptions): FrameToMake {
  const contents = group.contents.map(({ digest, size, bytes }) => ({
    digest,
    size,
    ...(bytes === undefined ? { file: store.path(digest) } : { bytes }),
  }));
  return { file: store.newFile(), level, length: lengthOf(group), contents };
}

function noteName(group: Group, level: number): string {
  const key = digestOf(JSON.stringify([frameParameters(level), group.contents.map(({ digest }) => digest)]));
  return `frames/${key}`;
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
