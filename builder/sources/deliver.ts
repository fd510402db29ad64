/** Opens one place and lets its bytes be taken; what a broken download has so far stays for the next run. */
import { createReadStream, statSync } from "node:fs";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Apt } from "./apt/programs.ts";
import type { Delivery } from "./artifact.ts";
import { download, Restart } from "./http/download.ts";
import type { HttpClient } from "../http/client.ts";
import { Partial } from "../store/partial.ts";
import { describePlace, type Place } from "./places.ts";
import type { Store } from "../store/store.ts";

export interface DeliverOptions {
  readonly store: Store;
  readonly http: HttpClient;
  readonly apt: Apt;
  /** Names the download's part in the store: the artifact's digest, or anything else that belongs to one content. */
  readonly key: string;
  readonly size: number | null;
  /** Another place follows, so a stalled server is left at once. */
  readonly impatient: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: (why: string, waitMs: number) => void;
}

/** Gives what `take` makes of the place's bytes. NOT_FOUND when the place does not have them. */
export async function deliver<T>(
  place: Place,
  options: DeliverOptions,
  take: (delivery: Delivery) => Promise<T>,
): Promise<T> {
  const where = describePlace(place);
  if (place.kind === "file") return await take(fileDelivery(place.path, where, options.signal));
  if (place.kind === "apt") {
    const { path, dispose } = await options.apt.download(place);
    try {
      return await take(fileDelivery(path, where, options.signal));
    } finally {
      await dispose();
    }
  }
  return await deliverDownload(place.url, options, take);
}

async function deliverDownload<T>(
  url: string,
  options: DeliverOptions,
  take: (delivery: Delivery) => Promise<T>,
): Promise<T> {
  const key = options.key.replaceAll(/[^0-9a-z-]/g, "-");
  // A part of another run may have other bytes than upstream now has: then, once, everything is read anew.
  for (let restarts = 0; ; restarts += 1) {
    const partial = await Partial.claim(options.store, key);
    const resumed = partial.size > 0;
    let keep = true;
    try {
      const stream = download(url, { ...options, partial });
      const result = await take({ stream, where: url, path: partial.path, owned: true });
      keep = false;
      return result;
    } catch (error) {
      const integrity = isExpected(error) && error.exitCode === 5;
      if (integrity) keep = false;
      if (restarts < 3 && (error instanceof Restart || (integrity && resumed && restarts === 0))) continue;
      if (error instanceof Restart) {
        throw new ExpectedError("UNREACHABLE", "the server gives other bytes each time", { where: url });
      }
      throw error;
    } finally {
      await (keep ? partial.release() : partial.finish());
    }
  }
}

function fileDelivery(path: string, where: string, signal: AbortSignal | undefined): Delivery {
  let isFile = false;
  try {
    isFile = statSync(path).isFile();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw new ExpectedError("UNREACHABLE", `this file cannot be read: ${messageOf(cause)}`, { where, cause });
    }
  }
  if (!isFile) throw new ExpectedError("NOT_FOUND", "there is no such file", { where });
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024, ...(signal === undefined ? {} : { signal }) });
  return { stream, where, path, owned: false };
}
