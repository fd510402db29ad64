/**
 * One artifact, in one pass: hashed, decompressed, its wanted members written to the store as they go by, and committed
 * only after the artifact's own digest was the one that the lock pins.
 */
import { createReadStream } from "node:fs";
import type { Digest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { LockedArtifact } from "../lock/lock.ts";
import type { Limits } from "../archive/entry.ts";
import { type Kept, type Members, rememberMembers } from "../store/members.ts";
import type { Staged } from "../store/staged.ts";
import type { Store } from "../store/store.ts";
import { algorithmOf, Tap } from "../store/tap.ts";
import { type UnpackRequest, unpackFile, unpackStream } from "../archive/unpack.ts";

/** An artifact's bytes on their way. */
export interface Delivery {
  readonly stream: AsyncIterable<Uint8Array>;
  /** How to tell where they come from. */
  readonly where: string;
  /** Where they are as a file once the stream was read out. */
  readonly path: string;
  /** That file is ours, in the store's file system, and may be moved. */
  readonly owned: boolean;
}

export interface TakeOptions {
  readonly store: Store;
  readonly limits?: Limits;
  readonly onBytes?: (bytes: number) => void;
}

export type Pinned = Pick<LockedArtifact, "digest" | "size" | "pinnedBy" | "files">;

interface Piece extends Kept {
  readonly pattern: string;
}

/** What the artifact gave, by pattern; also remembered. DIGEST_MISMATCH goes before anything that its unpacking threw. */
export async function takeArtifact(artifact: Pinned, delivery: Delivery, options: TakeOptions): Promise<Members> {
  const patterns = Object.keys(artifact.files);
  const inside = patterns.filter((pattern) => pattern !== ".");
  const tap = new Tap(delivery.stream, algorithmOf(artifact.digest), options.onBytes);
  const open: Staged[] = [];
  try {
    const request: UnpackRequest = {
      patterns: inside,
      store: options.store,
      // What nobody but the operator vouches for is read to its end: a second member of the same name is then seen.
      whole: artifact.pinnedBy === "first-use" || artifact.pinnedBy === "operator",
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    };
    const first = await firstReading(tap, request, open);
    await verify(tap, artifact, delivery.where);
    if (first.failure !== null) throw first.failure;
    const staged = [...first.staged, ...(await secondReading(first, delivery, artifact, request, open))];
    const pieces: Piece[] = [];
    for (const one of staged) {
      const { digest, size } = await one.staged.finish();
      pieces.push({ pattern: one.pattern, member: one.member, digest, size });
    }
    for (const one of open) await one.commit();
    if (patterns.includes(".")) pieces.push(await wholeArtifact(artifact, delivery, tap.bytes, options.store));
    const members = byPattern(patterns, pieces);
    await rememberMembers(options.store, artifact.digest, members);
    return members;
  } catch (error) {
    for (const one of open) await one.discard();
    throw located(error, delivery.where, options.store);
  } finally {
    await tap.close();
  }
}

interface Found {
  readonly pattern: string;
  readonly member: string;
  readonly staged: Staged;
}

interface FirstReading {
  readonly staged: readonly Found[];
  readonly again: ReadonlyMap<string, readonly { pattern: string; member: string }[]>;
  readonly file: boolean;
  readonly failure: unknown;
}

async function firstReading(tap: Tap, request: UnpackRequest, open: Staged[]): Promise<FirstReading> {
  const none = { staged: [], again: new Map<string, never[]>(), file: false, failure: null };
  if (request.patterns.length === 0) return none;
  try {
    const unpacked = await unpackStream(tap, request);
    if (unpacked === "file") return { ...none, file: true };
    open.push(...unpacked.taken.map(({ staged }) => staged));
    return { staged: unpacked.taken, again: unpacked.again, file: false, failure: null };
  } catch (error) {
    if (tap.failure !== null) throw tap.failure.error;
    return { ...none, failure: error };
  }
}

/** A zip, or the targets of links that had already gone by: read from the file, which is hashed once more. */
async function secondReading(
  first: FirstReading,
  delivery: Delivery,
  artifact: Pinned,
  request: UnpackRequest,
  open: Staged[],
): Promise<Found[]> {
  if (first.file) {
    const { taken, again } = await unpackFile(delivery.path, request);
    open.push(...taken.map(({ staged }) => staged));
    const linked =
      again.size === 0 ? [] : (await unpackFile(delivery.path, { ...request, patterns: [...again.keys()] })).taken;
    open.push(...linked.map(({ staged }) => staged));
    await verify(fileTap(delivery.path, artifact), artifact, delivery.where);
    return [...taken, ...aliases(linked, again)];
  }
  if (first.again.size === 0) return [];
  const tap = fileTap(delivery.path, artifact);
  const unpacked = await unpackStream(tap, { ...request, patterns: [...first.again.keys()] });
  if (unpacked === "file") throw new Error("a stream became a zip");
  open.push(...unpacked.taken.map(({ staged }) => staged));
  await verify(tap, artifact, delivery.where);
  return aliases(unpacked.taken, first.again);
}

/** A link's target under the link's own name. */
function aliases(taken: readonly Found[], again: FirstReading["again"]): Found[] {
  return taken.flatMap(({ member, staged }) => (again.get(member) ?? []).map((name) => ({ ...name, staged })));
}

function fileTap(path: string, artifact: Pinned): Tap {
  return new Tap(createReadStream(path, { highWaterMark: 1024 * 1024 }), algorithmOf(artifact.digest));
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

async function wholeArtifact(artifact: Pinned, delivery: Delivery, size: number, store: Store): Promise<Piece> {
  const sha256 = artifact.digest.startsWith("sha256:") ? (artifact.digest.slice(7) as Digest) : null;
  if (sha256 !== null && delivery.owned) {
    await store.adopt(delivery.path, sha256);
    return { pattern: ".", member: ".", digest: sha256, size };
  }
  const staged = await store.stage();
  try {
    const tap = fileTap(delivery.path, artifact);
    for await (const chunk of tap) await staged.write(chunk);
    await verify(tap, artifact, delivery.where);
    return { pattern: ".", member: ".", ...(await staged.commit()) };
  } catch (error) {
    await staged.discard();
    throw error;
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
function located(error: unknown, where: string, store: Store): unknown {
  const { code: system } = (error ?? {}) as { code?: unknown };
  if (system === "ENOSPC" || system === "EDQUOT") {
    return new ExpectedError("NO_SPACE", "the store's file system is full; what came so far stays for the next run", {
      where: store.dir,
      hint: "kubeferry store gc, or another folder with --cache DIR",
      cause: error,
    });
  }
  if (!(error instanceof ExpectedError) || error.where !== undefined) return error;
  const { code, message, hint, expected, found } = error;
  return new ExpectedError(code, message, { where, hint, expected, found, cause: error });
}
