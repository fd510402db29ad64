/** Opens the first of several places that gives what is wanted; wrong bytes of one are told, and the next is tried. */
import { join } from "node:path";
import { ExpectedError, isExpected } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { HttpClient } from "../http/client.ts";
import { errorOfPlaces } from "../http/failure.ts";
import type { Store } from "../store/store.ts";
import { createAptSource } from "./apt/programs.ts";
import { createFileSource } from "./file.ts";
import type { DownloadOptions } from "./http/download.ts";
import { createHttpSource } from "./http/http.ts";
import { describePlace, type Place } from "./places.ts";
import type { Opened } from "./source.ts";

export interface Sources {
  readonly http: ReturnType<typeof createHttpSource>;
  readonly file: ReturnType<typeof createFileSource>;
  readonly apt: ReturnType<typeof createAptSource>;
}

export function createSources(store: Store, http: HttpClient): Sources {
  return {
    http: createHttpSource(http, store),
    file: createFileSource(http.signal),
    apt: createAptSource(join(store.dir, "apt"), http.signal),
  };
}

export interface Wanted extends DownloadOptions {
  /** `etcd 3.6.14 linux/amd64`, an address: for messages. */
  readonly name: string;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** OFFLINE without any place; otherwise what `take` throws, or why no place could be opened: codes of exit 4 and 5. */
export async function openFirst<T>(
  places: readonly Place[],
  sources: Sources,
  wanted: Wanted,
  take: (opened: Opened) => Promise<T>,
): Promise<T> {
  const failures: ExpectedError[] = [];
  for (const [index, place] of places.entries()) {
    const isLast = index === places.length - 1;
    try {
      return await openPlace(place, sources, wanted, isLast, take);
    } catch (error) {
      wanted.signal?.throwIfAborted();
      if (!isExpected(error)) throw error;
      failures.push(error);
      if (error.code === "NOT_FOUND" || isLast) continue;
      wanted.reporter.warn(`${describePlace(place)}: ${error.code}: ${error.message}; trying the next place`);
    }
  }
  if (failures.length > 0) throw errorOfPlaces(failures, wanted.name);
  throw new ExpectedError("OFFLINE", "not cached, and --offline is set", { where: wanted.name });
}

async function openPlace<T>(
  place: Place,
  sources: Sources,
  wanted: Wanted,
  isLast: boolean,
  take: (opened: Opened) => Promise<T>,
): Promise<T> {
  if (place.kind === "file") return await sources.file.open(place.path, take);
  if (place.kind === "apt") return await sources.apt.open({ ...place, name: place.package }, take);
  const onRetry = (why: string, waitMs: number): void =>
    wanted.reporter.warn(`${place.url}: ${why}; again in ${(waitMs / 1000).toFixed(1)} s`);
  return await sources.http.open({ ...wanted, url: place.url, impatient: !isLast, onRetry }, take);
}
