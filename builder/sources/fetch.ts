/** Brings every artifact of a lock into the store and gives the release's files by name. */
import { join, posix } from "node:path";
import pLimit from "p-limit";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes, type Reporter } from "#cli/reporter";
import type { Lock, LockedArtifact } from "../lock/lock.ts";
import { Apt } from "./apt/programs.ts";
import { takeArtifact } from "./artifact.ts";
import { deliver } from "./deliver.ts";
import type { Limits } from "../archive/entry.ts";
import type { FetchedFile } from "./fetched.ts";
import { HttpClient, type HttpSettings } from "../http/client.ts";
import { errorOfPlaces } from "../http/failure.ts";
import { type Members, recallMembers } from "../store/members.ts";
import { describePlace, placesFor } from "./places.ts";
import type { Store } from "../store/store.ts";
import { allOf, isMissing } from "../together.ts";

export interface FetchOptions {
  readonly lock: Lock;
  readonly store: Store;
  /** `--mirror`: URLs or folders, tried before upstream, in order. */
  readonly mirrors: readonly string[];
  /** Only what is in the store, in mirrors that are folders, and in `file:` sources. */
  readonly offline: boolean;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  /** Proxy, CAs, credentials, time-outs; see http-settings.ts. */
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
  const { lock, store, signal } = options;
  // A failure of one stops the others, whose parts then stay resumable.
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  await using http = new HttpClient(options.http, both);
  const apt = new Apt(join(store.dir, "apt"), both);
  const limit = pLimit(options.parallel ?? 4);
  const failures: unknown[] = [];
  const work = lock.artifacts.map((artifact) =>
    limit(async () => {
      if (stop.signal.aborted) return [];
      try {
        return filesOf(artifact, await membersOf(artifact, { ...options, signal: both, clients: { http, apt } }));
      } catch (error) {
        failures.push(error);
        // What is missing is told all at once; anything else stops the others.
        if (!isMissing(error)) stop.abort();
        return [];
      }
    }),
  );
  const found = (await Promise.all(work)).flat();
  // Those after one that stopped them are of being stopped.
  if (failures.length > 0) throw allOf(failures);
  return found;
}

interface Context extends FetchOptions {
  readonly clients: { readonly http: HttpClient; readonly apt: Apt };
}

async function membersOf(artifact: LockedArtifact, context: Context): Promise<Members> {
  const { store, reporter } = context;
  context.signal?.throwIfAborted();
  const known = await recallMembers(store, artifact.digest, Object.keys(artifact.files), (message) =>
    reporter.warn(message),
  );
  if (known !== null) {
    reporter.record("fetched", { artifact: artifact.resolved, platform: artifact.platform, from: "store" });
    return known;
  }
  const places = placesFor(artifact, context);
  const failures: ExpectedError[] = [];
  for (const [index, place] of places.entries()) {
    const where = describePlace(place);
    const size = artifact.size;
    try {
      const settings = {
        ...context.clients,
        store,
        key: artifact.digest,
        size,
        impatient: index < places.length - 1,
        signal: context.signal,
        onRetry: (why: string, waitMs: number) =>
          reporter.warn(`${where}: ${why}; again in ${(waitMs / 1000).toFixed(1)} s`),
      };
      let bytes = 0;
      const members = await deliver(place, settings, (delivery) =>
        takeArtifact(artifact, delivery, {
          store,
          onBytes: (count) => {
            bytes = count;
            reporter.progress(nameOf(artifact), count, size);
          },
          ...(context.limits === undefined ? {} : { limits: context.limits }),
        }),
      );
      reporter.record("fetched", { artifact: artifact.resolved, platform: artifact.platform, from: where, bytes });
      if (!reporter.json) reporter.info(`  ${nameOf(artifact)}  ${formatBytes(bytes)}  ${where}`);
      return members;
    } catch (error) {
      context.signal?.throwIfAborted();
      if (!isExpected(error)) throw error;
      failures.push(error);
      if (error.code !== "NOT_FOUND" && index < places.length - 1) {
        reporter.warn(`${where}: ${error.code}: ${error.message}; trying the next place`);
      }
    }
  }
  throw failureOf(artifact, failures, context);
}

function failureOf(artifact: LockedArtifact, failures: readonly ExpectedError[], context: Context): ExpectedError {
  if (failures.length === 0 || (context.offline && failures.every(({ code }) => code === "NOT_FOUND"))) {
    return new ExpectedError("OFFLINE", `${nameOf(artifact)} is not cached, and --offline is set`, {
      where: artifact.resolved,
      hint: "run kubeferry fetch once without --offline, or fetch it by hand: kubeferry lock --list, kubeferry lock --from DIR",
    });
  }
  return errorOfPlaces(failures, `${nameOf(artifact)}: `);
}

function nameOf(artifact: LockedArtifact): string {
  return `${artifact.component} ${artifact.version} ${artifact.platform}`;
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
        ...(member === "." ? {} : { member }),
        version: artifact.version,
      },
    })),
  );
}
