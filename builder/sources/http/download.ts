/**
 * One URL's bytes, resumed and retried until they are whole. What came is kept in a {@link Partial}, so that the next run
 * goes on where this one was stopped. The caller checks the digest over the whole; nothing here is trusted.
 */
import { ExpectedError } from "#cli/errors";
import { Attempts } from "../../http/attempts.ts";
import type { HttpClient, HttpResponse } from "../../http/client.ts";
import { failureOfStatus } from "../../http/failure.ts";
import type { Partial } from "../../store/partial.ts";

/** The server has another content than the part was of: everything must be read anew. The part is empty now. */
export class Restart extends Error {
  override readonly name = "Restart";
}

export interface DownloadOptions {
  readonly http: HttpClient;
  readonly partial: Partial;
  /** Bytes, where the lock knows them. */
  readonly size: number | null;
  /** Give up at the first stall: there is another place to try. */
  readonly impatient: boolean;
  readonly onRetry?: (why: string, waitMs: number) => void;
}

const defaultLargest = 8e9;

/** First what the part has, then what the server still has to give. Throws {@link Restart} or codes of exit 4 and 5. */
export async function* download(url: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { partial, size } = options;
  if (size !== null && partial.size > size) await partial.reset();
  yield* partial.read();
  const attempts = new Attempts(url, options);
  const isWhole = (): boolean => size !== null && partial.size >= size;
  while (!isWhole()) {
    const before = partial.size;
    try {
      yield* onward(url, options);
      return;
    } catch (cause) {
      if (cause instanceof Restart) throw cause;
      await attempts.failed(cause, partial.size > before);
    }
  }
}

/** One request, from where the part ends. */
async function* onward(url: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { http, partial } = options;
  const offset = partial.size;
  const response = await http.get(url, rangeHeaders(url, partial));
  try {
    if (response.statusCode === 416 && offset > 0) {
      if (contentRange(response)?.total === offset) return;
      await startAnew(partial);
    }
    if (offset > 0 && response.statusCode === 200) await startAnew(partial);
    if (response.statusCode !== 200 && response.statusCode !== 206) throw failureOfStatus(response, url);
    if (response.statusCode === 206 && contentRange(response)?.start !== offset) await startAnew(partial);
    const total = totalOf(response, offset);
    refuseSize(total, options, url);
    await partial.setValidator(validatorOf(response, url));
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      refuseSize(partial.size + chunk.length, options, url, "atLeast");
      await partial.append(chunk);
      yield chunk;
    }
  } finally {
    response.body.on("error", () => undefined).destroy();
  }
}

async function startAnew(partial: Partial): Promise<never> {
  await partial.reset();
  throw new Restart("the server has other bytes than before");
}

function rangeHeaders(url: string, partial: Partial): Record<string, string> {
  if (partial.size === 0) return {};
  const { validator } = partial;
  const range = `bytes=${partial.size}-`;
  return validator?.url === url ? { range, "if-range": validator.value } : { range };
}

function validatorOf(response: HttpResponse, url: string): { url: string; value: string } | null {
  const etag = response.headers["etag"];
  // A weak ETag does not promise equal bytes, so a server must not resume by it.
  const value = typeof etag === "string" && !etag.startsWith("W/") ? etag : response.headers["last-modified"];
  return typeof value === "string" ? { url, value } : null;
}

function contentRange(response: HttpResponse): { start: number | null; total: number | null } | null {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(String(response.headers["content-range"] ?? ""));
  if (match === null) return null;
  return {
    start: match[1] === undefined ? null : Number(match[1]),
    total: match[2] === undefined || match[2] === "*" ? null : Number(match[2]),
  };
}

function totalOf(response: HttpResponse, offset: number): number | null {
  const length = response.headers["content-length"];
  return typeof length === "string" && /^\d+$/.test(length) ? Number(length) + offset : null;
}

function refuseSize(
  found: number | null,
  options: DownloadOptions,
  url: string,
  how: "exactly" | "atLeast" = "exactly",
): void {
  if (found === null) return;
  const largest = options.http.settings.largest ?? defaultLargest;
  if (options.size !== null && (how === "exactly" ? found !== options.size : found > options.size)) {
    throw new ExpectedError("SIZE_MISMATCH", "the server has another file than the lock pins", {
      where: url,
      expected: `${options.size} bytes`,
      found: how === "exactly" ? `${found} bytes` : "more",
    });
  }
  if (found > largest) {
    throw new ExpectedError("TOO_LARGE", `this download is larger than ${largest} bytes`, { where: url });
  }
}
