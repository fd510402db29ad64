/**
 * A checksum file, and who vouches for it by having published it: upstream where it can be asked, otherwise whoever has a
 * copy.
 */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { ExpectedError, isExpected } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { Platform } from "#bundle";
import { readAtMost } from "../http/read.ts";
import type { Store } from "../store/store.ts";
import type { Signers } from "../config/release.ts";
import type { SignedBy } from "../lock/lock.ts";
import { openFirst, type Sources } from "./open.ts";
import { type Place, type PlaceOptions, placesFor } from "./places.ts";

export interface PinContext extends PlaceOptions {
  readonly store: Store;
  readonly sources: Sources;
  readonly trustFirstUse: boolean;
  /** `--from`: a folder of what the operator fetched by hand, and vouches for. */
  readonly folder?: string | undefined;
  /** Hosts of upstream that did not answer once: not waited for again. */
  readonly silent: Set<string>;
  /** Those of the release. */
  readonly signers: Signers;
  /** Signed lists of this run, verified once for all that they name. */
  readonly lists: Map<string, Promise<SignedList>>;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** A list that upstream signed. */
export interface SignedList {
  /** What was signed, and nothing else of the file. */
  readonly text: string;
  readonly signedBy: SignedBy;
}

/** Bytes; upstream names some hundred files. */
export const largestChecksumFile = 4 * 1024 * 1024;

/** From upstream itself; a mirror's copy where upstream cannot be asked or has none. */
export async function readPublished(
  url: string,
  platform: Platform,
  context: PinContext,
): Promise<{ bytes: Buffer; by: "upstream" | "mirror" | "operator" }> {
  const places = placesFor({ resolved: url, mirrors: [], platform }, context);
  const { host } = new URL(url);
  let failure: unknown;
  try {
    const upstream = context.silent.has(host) ? [] : places.filter((place) => !isMirror(place));
    return { bytes: await readSmall(url, upstream, context), by: "upstream" };
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!isExpected(error) || error.exitCode !== 4) throw error;
    remember(host, error, context);
    failure = error;
  }
  const mirrors = places.filter(isMirror);
  const byHand = mirrors.filter((place) => place.kind === "file" && isBelow(place.path, context.folder));
  const others = mirrors.filter((place) => !byHand.includes(place));
  for (const [by, some] of [["operator", byHand] as const, ["mirror", others] as const]) {
    if (some.length === 0) continue;
    try {
      const bytes = await readSmall(url, some, context);
      // A list that is named as a file has no upstream.
      if (by === "mirror" && !url.startsWith("file:"))
        context.reporter.warn(`${url} is a mirror's copy: upstream could not be asked`);
      return { bytes, by };
    } catch (error) {
      if (!isExpected(error, "NOT_FOUND")) throw error;
      // Offline nobody else is asked, so what lies here is all that there is.
      if (context.offline) failure = error;
    }
  }
  throw failure;
}

function isBelow(path: string, folder: string | undefined): boolean {
  return folder !== undefined && path.startsWith(`${resolve(folder)}/`);
}

/**
 * From anywhere, a mirror first: for what `check` can tell from any other bytes by itself. Throws what `check` throws where
 * no place has better ones; NOT_FOUND only where upstream itself was asked.
 */
export async function readAnywhere<T>(
  url: string,
  platform: Platform,
  context: PinContext,
  check: (bytes: Buffer, where: string) => Promise<T>,
): Promise<T> {
  const { host } = new URL(url);
  const all = placesFor({ resolved: url, mirrors: [], platform }, context);
  const places = context.silent.has(host) ? all.filter(isMirror) : all;
  try {
    return await open(url, places, context, check);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (isExpected(error)) remember(host, error, context);
    if (!isExpected(error, "NOT_FOUND") || places.some((place) => !isMirror(place))) throw error;
    throw new ExpectedError("OFFLINE", "no mirror has it, and upstream is not asked", { where: url, cause: error });
  }
}

function isMirror(place: Place): boolean {
  return place.kind !== "apt" && place.mirror;
}

function remember(host: string, { code }: ExpectedError, { silent }: PinContext): void {
  if (code === "UNREACHABLE" || code === "STALLED") silent.add(host);
}

function readSmall(url: string, places: readonly Place[], context: PinContext): Promise<Buffer> {
  return open(url, places, context, (bytes) => Promise.resolve(bytes));
}

async function open<T>(
  url: string,
  places: readonly Place[],
  context: PinContext,
  take: (bytes: Buffer, where: string) => Promise<T>,
): Promise<T> {
  const key = `checksum-${randomBytes(8).toString("hex")}`;
  const wanted = { ...context, name: url, key, size: null, largest: largestChecksumFile };
  return await openFirst(places, context.sources, wanted, async (opened) => {
    const bytes = await readAtMost(opened.bytes, largestChecksumFile);
    if (bytes !== null) return await take(bytes, opened.where);
    throw new ExpectedError("TOO_LARGE", "a checksum file of more than 4 MiB is none", { where: opened.where });
  });
}
