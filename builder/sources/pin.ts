/**
 * Where an artifact's digest comes from: the release, the distribution's index, upstream's checksum file, or one download.
 * A mirror brings bytes, and is believed in nothing else: its copy of a checksum file counts only where upstream cannot be
 * asked, and the lock, `inspect` and the audit then say `pinned by mirror`.
 */
import { resolve } from "node:path";
import { randomBytes } from "node:crypto";
import { ExpectedError, isExpected } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { Platform } from "#bundle";
import type { Artifact, Component } from "../config/release.ts";
import { openFirst, type Sources } from "./open.ts";
import { type Sum, sumOf } from "./source.ts";
import { readAtMost } from "../http/read.ts";
import { Partial } from "../store/partial.ts";
import { type Place, placesFor } from "./places.ts";
import type { Store } from "../store/store.ts";
import { checksumFor } from "./checksum-file.ts";
import type { LockedArtifact } from "../lock/lock.ts";

export interface PinContext {
  readonly store: Store;
  readonly sources: Sources;
  readonly mirrors: readonly string[];
  readonly offline: boolean;
  readonly trustFirstUse: boolean;
  /** `--from`: a folder of what the operator fetched by hand, and vouches for. */
  readonly folder?: string | undefined;
  /** Hosts of upstream that did not answer once: not waited for again. */
  readonly silent: Set<string>;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** Nobody published a digest of this artifact; collected, and told all at once. */
export interface Unpinned {
  readonly component: string;
  readonly platform: Platform;
  readonly from: string;
  readonly why: string;
}

const largestChecksumFile = 4 * 1024 * 1024;

/** Pins an artifact that is not an `apt:` one. */
export async function pin(
  component: Component,
  artifact: Artifact,
  context: PinContext,
): Promise<LockedArtifact | Unpinned> {
  const { platform, from, mirrors, files } = artifact;
  const version = component.version ?? "";
  const base = { component: component.name, version, platform, from, resolved: from, mirrors, files };
  // Whoever has the file at hand has made or fetched it, and vouches for it with its digest or list of digests.
  const isOwn = from.startsWith("file:");
  if (artifact.digest !== undefined) {
    return { ...base, digest: artifact.digest, size: null, pinnedBy: isOwn ? "operator" : "release" };
  }
  const published = await publishedDigest(artifact, context);
  if (published.digest !== null) {
    return { ...base, digest: published.digest, size: null, pinnedBy: isOwn ? "operator" : published.by };
  }
  if (!context.trustFirstUse) return { component: component.name, platform, from, why: published.why };
  const found = await firstUse(artifact, context);
  context.reporter.warn(`${component.name} ${platform}: ${found.digest} was taken on trust, from ${from}`);
  return { ...base, ...found, pinnedBy: "first-use" };
}

type Published =
  | { readonly digest: string; readonly by: "upstream" | "mirror" | "operator" }
  | { readonly digest: null; readonly why: string };

async function publishedDigest(artifact: Artifact, context: PinContext): Promise<Published> {
  const { checksum } = artifact;
  if (checksum === undefined) return { digest: null, why: artifact.source ?? "nobody published a digest" };
  try {
    const { text, by } = await readPublished(checksum, artifact.platform, context);
    const digest = checksumFor(text, artifact.from);
    return digest === null ? { digest, why: `${checksum} does not name this file, or not clearly` } : { digest, by };
  } catch (error) {
    // A list that is not there is like none; a list that cannot be reached is an error of its own.
    if (!isExpected(error, "NOT_FOUND")) throw error;
    return { digest: null, why: `${checksum} is not there` };
  }
}

/** A checksum file, from upstream itself; a mirror's copy where upstream cannot be asked or has none. */
async function readPublished(
  url: string,
  platform: Platform,
  context: PinContext,
): Promise<{ text: string; by: "upstream" | "mirror" | "operator" }> {
  const places = placesFor({ resolved: url, mirrors: [], platform }, context);
  const isMirror = (place: Place): boolean => place.kind !== "apt" && place.mirror;
  const host = new URL(url).host;
  let failure: unknown;
  try {
    const upstream = context.silent.has(host) ? [] : places.filter((place) => !isMirror(place));
    return { text: await readSmall(url, upstream, context), by: "upstream" };
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!isExpected(error) || error.exitCode !== 4) throw error;
    if (error.code === "UNREACHABLE" || error.code === "STALLED") context.silent.add(host);
    failure = error;
  }
  const mirrors = places.filter(isMirror);
  const byHand = mirrors.filter((place) => place.kind === "file" && isBelow(place.path, context.folder));
  const others = mirrors.filter((place) => !byHand.includes(place));
  for (const [by, some] of [["operator", byHand] as const, ["mirror", others] as const]) {
    if (some.length === 0) continue;
    try {
      const text = await readSmall(url, some, context);
      // A list that is named as a file has no upstream.
      if (by === "mirror" && !url.startsWith("file:"))
        context.reporter.warn(`${url} is a mirror's copy: upstream could not be asked`);
      return { text, by };
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

async function readSmall(url: string, places: readonly Place[], context: PinContext): Promise<string> {
  const key = `checksum-${randomBytes(8).toString("hex")}`;
  const wanted = { ...context, name: url, key, size: null, largest: largestChecksumFile };
  return await openFirst(places, context.sources, wanted, async (opened) => {
    const bytes = await readAtMost(opened.bytes, largestChecksumFile);
    if (bytes !== null) return bytes.toString("utf8");
    throw new ExpectedError("TOO_LARGE", "a checksum file of more than 4 MiB is none", { where: opened.where });
  });
}

/** Downloads once to learn the digest; what came stays in the store as a finished part, so `fetch` need not ask again. */
async function firstUse(artifact: Artifact, context: PinContext): Promise<Sum> {
  const { from, platform } = artifact;
  const key = `first-use-${Buffer.from(from).toString("hex").slice(-80)}`;
  const places = placesFor({ resolved: from, mirrors: [], platform }, context);
  return await openFirst(places, context.sources, { ...context, name: from, key, size: null }, async (opened) => {
    const sum = await sumOf(opened);
    if (opened.file !== null) await Partial.leave(context.store, opened.file, sum.digest);
    return sum;
  });
}
