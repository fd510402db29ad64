/**
 * One artifact, in one pass: hashed, decompressed, its wanted members written to the store as they go by, and committed
 * only after the artifact's own digest was the one that the lock pins.
 */
import { ExpectedError } from "#cli/errors";
import type { LockedArtifact } from "../lock/lock.ts";
import type { Limits } from "../archive/entry.ts";
import { type Kept, type Members, rememberMembers } from "../store/members.ts";
import type { Staged } from "../store/staged.ts";
import type { Store } from "../store/store.ts";
import { algorithmOf, Tap } from "../store/tap.ts";
import type { Opened } from "./source.ts";
import type { Taken, TakeResult } from "../archive/take-members.ts";
import { unpack } from "../archive/unpack.ts";

export interface TakeOptions {
  readonly store: Store;
  readonly limits?: Limits | undefined;
  /** How many have gone by. */
  readonly onBytes?: (bytes: number) => void;
}

export type Pinned = Pick<LockedArtifact, "digest" | "size" | "pinnedBy" | "files">;

interface Piece extends Kept {
  readonly pattern: string;
}

/** What the artifact gave, by pattern; also remembered. DIGEST_MISMATCH goes before anything that its unpacking threw. */
export async function takeArtifact(artifact: Pinned, opened: Opened, options: TakeOptions): Promise<Members> {
  const { store, limits, onBytes } = options;
  const patterns = Object.keys(artifact.files);
  const inside = patterns.filter((pattern) => pattern !== ".");
  const staged: Staged[] = [];
  const reading = async (
    bytes: AsyncIterable<Uint8Array>,
    wanted: readonly string[],
    count?: (bytes: number) => void,
  ): Promise<TakeResult> => {
    const tap = new Tap(bytes, algorithmOf(artifact.digest), count);
    try {
      // What nobody but the operator vouches for is read to its end: a second member of the same name is then seen.
      const whole = artifact.pinnedBy === "first-use" || artifact.pinnedBy === "operator";
      const unpacking = wanted.length === 0 ? nothing : unpack(tap, { patterns: wanted, store, limits, whole });
      const [unpacked] = await Promise.allSettled([unpacking]);
      if (unpacked.status === "fulfilled") staged.push(...unpacked.value.taken.map((one) => one.staged));
      await verify(tap, artifact, opened.where);
      if (unpacked.status === "rejected") throw unpacked.reason;
      return unpacked.value;
    } finally {
      await tap.close();
    }
  };
  try {
    const itself = inside.length === patterns.length ? null : await store.stage(opened.file);
    if (itself !== null) staged.push(itself);
    const first = await reading(itself === null ? opened.bytes : copied(opened.bytes, itself), inside, onBytes);
    // Links lead to members that had already gone by: a second reading takes those, and hashes all of it once more.
    const second = first.again.size === 0 ? nothing : await reading(opened.again(), [...first.again.keys()]);
    const pieces: Piece[] = itself === null ? [] : [{ pattern: ".", member: ".", ...(await itself.finish()) }];
    for (const one of [...first.taken, ...aliases(second.taken, first.again)]) {
      pieces.push({ pattern: one.pattern, member: one.member, ...(await one.staged.finish()) });
    }
    for (const one of staged) await one.commit();
    const members = byPattern(patterns, pieces);
    await rememberMembers(store, artifact.digest, members);
    return members;
  } catch (error) {
    for (const one of staged) await one.discard();
    throw located(store.explained(error), opened.where);
  }
}

async function* copied(bytes: AsyncIterable<Uint8Array>, to: Staged): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    await to.write(chunk);
    yield chunk;
  }
}

const nothing: TakeResult = { taken: [], again: new Map() };

/** A link's target under the link's own name. */
function aliases(taken: readonly Taken[], again: TakeResult["again"]): Taken[] {
  return taken.flatMap(({ member, staged }) => (again.get(member) ?? []).map((name) => ({ ...name, staged })));
}

async function verify(tap: Tap, artifact: Pinned, where: string): Promise<void> {
  const found = await tap.drain();
  if (found !== artifact.digest) {
    throw new ExpectedError("DIGEST_MISMATCH", "these are not the bytes that the lock pins; nothing of them was kept", {
      where,
      expected: artifact.digest,
      found,
      hint: "if upstream replaced the file and says so: kubeferry lock --update; otherwise distrust this source",
    });
  }
  if (artifact.size !== null && tap.bytes !== artifact.size) {
    const detail = {
      where,
      expected: `${artifact.size} bytes`,
      found: `${tap.bytes} bytes`,
      hint: "kubeferry lock --update",
    };
    throw new ExpectedError("SIZE_MISMATCH", "the lock gives this artifact another size", detail);
  }
}

function byPattern(patterns: readonly string[], pieces: readonly Piece[]): Members {
  return Object.fromEntries(
    patterns.map((pattern) => [
      pattern,
      pieces
        .filter((piece) => piece.pattern === pattern)
        .map(({ member, digest, size }) => ({ member, digest, size }))
        .toSorted((a, b) => (a.member < b.member ? -1 : 1)),
    ]),
  );
}

/** The same error, with where it happened when it does not say so itself. */
function located(error: unknown, where: string): unknown {
  if (!(error instanceof ExpectedError) || error.where !== undefined) return error;
  const { code, message, hint, expected, found } = error;
  return new ExpectedError(code, message, { where, hint, expected, found, cause: error });
}
