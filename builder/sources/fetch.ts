/** Brings every artifact of a lock into the store and gives the release's files by name. */
import { posix } from "node:path";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { type Reporter } from "#cli/reporter";
import type { Limits } from "../archive/entry.ts";
import { HttpClient, type HttpSettings } from "../http/client.ts";
import type { Lock, LockedArtifact } from "../lock/lock.ts";
import { provenanceOf } from "../lock/provenance.ts";
import { type Members, recallMembers } from "../store/members.ts";
import type { Store } from "../store/store.ts";
import { forEachOf, isMissing } from "../together.ts";
import { takeArtifact } from "./artifact.ts";
import type { FetchedFile } from "./fetched.ts";
import { createSources, openFirst, type Sources } from "./open.ts";
import { type PlaceOptions, placesFor } from "./places.ts";

export interface FetchOptions extends PlaceOptions {
  readonly lock: Lock;
  readonly store: Store;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  /** Proxy, CAs, credentials, time-outs; see http/settings.ts. */
  readonly http?: HttpSettings | undefined;
  /** Artifacts at a time; default 4. */
  readonly parallel?: number | undefined;
  readonly limits?: Limits | undefined;
}

/**
 * The release's files, each a content in the store. What the store has is neither downloaded nor unpacked again.
 * Codes of exit 4 and 5 otherwise; what was got until then stays for the next run.
 */
export async function fetchRelease(options: FetchOptions): Promise<FetchedFile[]> {
  // A failure of one stops the others, whose parts then stay resumable; what is missing is told all at once.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  await using http = new HttpClient(options.http, signal);
  const sources = createSources(options.store, http);
  const found = await forEachOf(options.lock.artifacts, options.parallel ?? 4, async (artifact) => {
    try {
      return filesOf(artifact, await membersOf(artifact, sources, { ...options, signal }));
    } catch (error) {
      if (!isMissing(error)) stop.abort();
      throw error;
    }
  });
  return found.flat();
}

async function membersOf(artifact: LockedArtifact, sources: Sources, options: FetchOptions): Promise<Members> {
  const { store, reporter, signal, limits, offline } = options;
  const { resolved, platform, digest, size } = artifact;
  const name = `${artifact.component} ${artifact.version} ${platform}`;
  signal?.throwIfAborted();
  const known = await recallMembers(store, digest, Object.keys(artifact.files), (message) => reporter.warn(message));
  if (known !== null) {
    reporter.record("fetched", { artifact: resolved, platform, from: "store" });
    return known;
  }
  const wanted = { name, key: digest, size, reporter, signal };
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes = count;
    reporter.progress(name, count, size);
  };
  try {
    return await openFirst(placesFor(artifact, options), sources, wanted, async (opened) => {
      const members = await takeArtifact(artifact, opened, { store, limits, onBytes });
      reporter.record("fetched", { artifact: resolved, platform, from: opened.where, bytes });
      if (!reporter.json) reporter.info(`  ${name}  ${formatBytes(bytes)}  ${opened.where}`);
      return members;
    });
  } catch (error) {
    if (!isExpected(error, "OFFLINE") && !(offline && isExpected(error, "NOT_FOUND"))) throw error;
    throw new ExpectedError("OFFLINE", `${name} is not cached, and --offline is set`, {
      where: resolved,
      hint: "run kubeferry fetch once without --offline, or fetch it by hand: kubeferry lock --list, kubeferry lock --from DIR",
    });
  }
}

function filesOf(artifact: LockedArtifact, members: Members): FetchedFile[] {
  return Object.entries(artifact.files).flatMap(([pattern, name]) =>
    (members[pattern] ?? []).map(({ member, digest, size }) => ({
      name: pattern.endsWith("/*") ? posix.basename(member) : name,
      component: artifact.component,
      platform: artifact.platform,
      digest,
      size,
      origin: {
        from: "artifact" as const,
        url: artifact.resolved,
        digest: artifact.digest,
        pinnedBy: artifact.pinnedBy,
        ...provenanceOf(artifact),
        ...(member === "." ? {} : { member }),
        version: artifact.version,
      },
    })),
  );
}
