/** Takes contents out of a bundle's frames: which pieces of which frame, and where each goes. */
import { dirname } from "node:path";
import { ExpectedError } from "#cli/errors";
import type { Digest } from "./digest.ts";
import { syncFolder } from "./durable-file.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath, windowOf } from "./frames.ts";
import type { Source } from "./member.ts";
import { type FrameJob, holdFrame, type FileChunk } from "./file-chunks.ts";
import { inPool } from "./workers/pool.ts";

/** Bytes of all windows that are decoded at one time: most of the memory that an installation takes. */
const windowBudget = 64 * 1024 * 1024;

/**
 * Writes each requested content to the path that `place` gives it: mode 0600, fsynced, and under that name only when
 * digest and length are right. MEMBER_MISSING for a digest that the index does not have.
 */
export async function extractContents(
  source: Source,
  index: BundleIndex,
  requested: ReadonlySet<Digest>,
  place: (digest: Digest) => string,
  signal?: AbortSignal,
): Promise<void> {
  const frames = framesOf(source, index, requested, place);
  await takeFrames(frames, signal);
  for (const directory of new Set(frames.flatMap(({ pieces }) => pieces.map(({ file = "" }) => dirname(file))))) {
    await syncFolder(directory);
  }
}

/** The same in memory, for contents that are small. */
export async function readContents(
  source: Source,
  index: BundleIndex,
  requested: ReadonlySet<Digest>,
): Promise<Map<Digest, Buffer>> {
  const contents = new Map<Digest, Buffer>();
  for (const frame of framesOf(source, index, requested)) await holdFrame(frame, contents);
  return contents;
}

/** Decodes every frame and checks every content's digest, writing nothing: what `verify` does with `contents`. */
export async function checkContents(source: Source, index: BundleIndex, signal?: AbortSignal): Promise<void> {
  await takeFrames(framesOf(source, index, new Set(Object.keys(index.contents) as Digest[])), signal);
}

async function takeFrames(frames: readonly FrameJob[], signal: AbortSignal | undefined): Promise<void> {
  const largest = Math.max(1, ...frames.map(({ member, length }) => windowOf(member, length)));
  const most = Math.max(1, Math.floor(windowBudget / largest));
  await inPool("frame", frames, { weight: ({ length }) => length, most, signal });
}

function framesOf(
  source: Source,
  index: BundleIndex,
  requested: ReadonlySet<Digest>,
  place?: (digest: Digest) => string,
): FrameJob[] {
  const byBlob = new Map<Digest, FileChunk[]>();
  for (const digest of requested) {
    const content = index.contents[digest];
    if (content === undefined) {
      throw new ExpectedError("MEMBER_MISSING", `content ${digest} is not in this bundle`, { where: source.where });
    }
    const pieces = byBlob.get(content.blob) ?? [];
    const { offset, size } = content;
    pieces.push({ digest, offset, size, ...(place === undefined ? {} : { file: place(digest) }) });
    byBlob.set(content.blob, pieces);
  }
  return [...byBlob].map(([blob, pieces]) => {
    const member = source.members.get(blobPath(blob));
    const entry = index.blobs[blob];
    if (member === undefined || entry === undefined) {
      throw new ExpectedError("MEMBER_MISSING", `${blobPath(blob)} is not in this bundle`, { where: source.where });
    }
    return { member, blob, length: entry.length, pieces };
  });
}
