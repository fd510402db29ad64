/**
 * Where an artifact's digest comes from: the release, the distribution's index, upstream's checksum file, or one download.
 * A mirror brings bytes, and is believed in nothing else: its copy of a checksum file counts only where upstream cannot be
 * asked, and the lock, `inspect` and the audit then say `pinned by mirror`.
 */
import { isExpected } from "#cli/errors";
import type { Platform } from "#bundle";
import type { Artifact, Component } from "../config/release.ts";
import type { LockedArtifact, SignedBy } from "../lock/lock.ts";
import { Partial } from "../store/partial.ts";
import { checksumFor } from "./checksum-file.ts";
import { openFirst } from "./open.ts";
import { placesFor } from "./places.ts";
import { type PinContext, readPublished } from "./published.ts";
import { missing, signedSource, signerOf, verifyList } from "./signed-list.ts";
import { type Sum, sumOf } from "./source.ts";

/** Nobody published a digest of this artifact; collected, and told all at once. */
export interface Unpinned {
  readonly component: string;
  readonly platform: Platform;
  readonly from: string;
  readonly why: string;
}

/** Pins an artifact that is not an `apt:` one. */
export async function pin(
  component: Component,
  artifact: Artifact,
  context: PinContext,
): Promise<LockedArtifact | Unpinned> {
  const { platform, from, mirrors, files } = artifact;
  const version = component.version ?? "";
  const published = artifact.published ?? artifact.checksum;
  const { agrees } = artifact;
  const about = { ...(published !== undefined && { published }), ...(agrees !== undefined && { agrees }) };
  const base = { component: component.name, version, platform, from, resolved: from, mirrors, files };
  // Whoever has the file at hand has made or fetched it, and vouches for it with its digest or list of digests.
  const isOwn = from.startsWith("file:");
  if (artifact.digest !== undefined) {
    const { digest } = artifact;
    const signedBy = await signerOf(artifact, digest, context);
    const pinnedBy = isOwn ? "operator" : "release";
    return { ...base, digest, size: null, pinnedBy, ...about, ...(signedBy && { signedBy }) };
  }
  const found = await publishedDigest(artifact, context);
  if (found.digest !== null) {
    const { digest, by, signedBy } = found;
    const pinnedBy = isOwn ? "operator" : by;
    return { ...base, digest, size: null, pinnedBy, ...about, ...(signedBy && { signedBy }) };
  }
  if (!context.trustFirstUse) return { component: component.name, platform, from, why: found.why };
  const taken = await firstUse(artifact, context);
  context.reporter.warn(`${component.name} ${platform}: ${taken.digest} was taken on trust, from ${from}`);
  return { ...base, ...taken, pinnedBy: "first-use" };
}

type Published =
  | { readonly digest: string; readonly by: "upstream" | "mirror" | "operator"; readonly signedBy: SignedBy | null }
  | { readonly digest: null; readonly why: string };

async function publishedDigest(artifact: Artifact, context: PinContext): Promise<Published> {
  const { checksum, platform } = artifact;
  if (checksum === undefined) return { digest: null, why: artifact.source ?? "nobody published a digest" };
  const signed = signedSource(artifact, context.signers);
  try {
    const { bytes, by } = await readPublished(checksum, platform, context);
    const { text, signedBy } =
      signed === null
        ? { text: bytes.toString("utf8"), signedBy: null }
        : await verifyList({ bytes, where: checksum }, signed, platform, context);
    const digest = checksumFor(text, artifact.from);
    if (digest !== null) return { digest, by, signedBy };
    return { digest, why: `${checksum} does not name this file, or not clearly` };
  } catch (error) {
    // A list that is not there is like none; a list that cannot be reached is an error of its own.
    if (!isExpected(error, "NOT_FOUND")) throw error;
    if (signed !== null) throw missing(checksum);
    return { digest: null, why: `${checksum} is not there` };
  }
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
