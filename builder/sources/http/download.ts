/**
 * One content by HTTP, resumed and retried until it is whole. What comes is given at once and kept in a {@link Partial}, so
 * that the next run goes on where this one was stopped. Whoever takes it checks the digest over the whole; nothing here is
 * trusted.
 */
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import { ByteReader } from "../../archive/byte-reader.ts";
import { Attempts } from "../../http/attempts.ts";
import type { HttpResponse } from "../../http/client.ts";
import { failureOf, passing, RequestFailed } from "../../http/failure.ts";
import type { Question } from "../../http/read.ts";
import { Partial } from "../../store/partial.ts";
import type { Store } from "../../store/store.ts";
import type { Opened } from "../source.ts";

export interface DownloadOptions {
  /** Names its part in the store: a digest, or anything else that belongs to one content. */
  readonly key: string;
  /** Bytes, where somebody said how many. */
  readonly size: number | null;
  /** Bytes that it may have at most; default: those of the client's settings, else 8 GB. */
  readonly largest?: number | undefined;
}

const defaultLargest = 8e9;
const mostRequests = 1000;

/** Codes of exit 4; SIZE_MISMATCH and TOO_LARGE before what is too much is read; what `take` throws. */
export async function download<T>(
  question: Question,
  store: Store,
  options: DownloadOptions,
  take: (opened: Opened) => Promise<T>,
): Promise<T> {
  const key = options.key.replaceAll(/[^0-9a-z-]/g, "-");
  // A part may be of other bytes than the server now has: then, once, everything is read anew.
  for (let anew = false; ; anew = true) {
    const partial = await Partial.claim(store, key);
    const transfer = new Transfer(partial, question, options);
    const bytes = transfer.bytes();
    let keep = true;
    try {
      const opened = { where: question.url, bytes, file: partial.path, again: () => partial.read() };
      const taken = await take(opened);
      keep = false;
      return taken;
    } catch (error) {
      // A part is only of no use when it is of other bytes: a cut one is what the next run goes on from.
      const isOther = isExpected(error) && error.exitCode === 5 && error.code !== "TRUNCATED";
      if (isOther) keep = false;
      if (!isOther || !transfer.resumed || anew) throw store.explained(error);
    } finally {
      await bytes.return(undefined);
      await (keep ? partial.release() : partial.finish());
    }
  }
}

class Transfer {
  /** Whether there was a part when the server was asked, so that the bytes may be of two contents. */
  resumed = false;
  readonly #partial: Partial;
  readonly #question: Question;
  readonly #options: DownloadOptions;

  constructor(partial: Partial, question: Question, options: DownloadOptions) {
    this.#partial = partial;
    this.#question = question;
    this.#options = options;
  }

  /** What an earlier run left, then what the server still has to give. */
  async *bytes(): AsyncGenerator<Uint8Array, undefined> {
    const partial = this.#partial;
    const { size } = this.#options;
    if (size !== null && partial.size > size) await partial.reset();
    this.resumed = partial.size > 0;
    yield* partial.read();
    const attempts = new Attempts(this.#question.url, this.#question);
    let most = partial.size;
    let requests = 0;
    const isWhole = (): boolean => size !== null && partial.size === size;
    while (!isWhole()) {
      try {
        return yield* this.#request();
      } catch (cause) {
        // A byte for each request is no progress.
        requests += 1;
        await attempts.failed(cause, partial.size > most && requests < mostRequests);
        most = partial.size;
        this.resumed ||= most > 0;
      }
    }
  }

  /** One request, from where the part ends; nothing is missing when it returns. */
  async *#request(): AsyncGenerator<Uint8Array, undefined> {
    const [partial, question, options] = [this.#partial, this.#question, this.#options];
    const { url } = question;
    const { size } = options;
    const offset = partial.size;
    const response = await question.ask(rangeHeaders(url, partial)).catch((cause: unknown) => {
      if (offset > 0 && cause instanceof RequestFailed && cause.response?.statusCode === 416) return cause.response;
      throw cause;
    });
    const range = contentRange(response);
    try {
      if (response.statusCode === 416) {
        if (range?.total === offset) return;
        throw otherBytes(url);
      }
      if (response.statusCode === 206 && range?.start !== offset) {
        await partial.reset();
        const details = { where: url, expected: `bytes ${offset}-`, found: String(response.headers["content-range"]) };
        throw new ExpectedError("UNREACHABLE", "the server answered another range than was asked for", details);
      }
      const isWhole = response.statusCode === 200;
      const length = Number(response.headers["content-length"] ?? Number.NaN);
      if (Number.isFinite(length)) refuseSize((isWhole ? 0 : offset) + length, question, options);
      // Nothing is waited for before the first byte: what came of a body is gone when its connection ends.
      let known = false;
      for await (const chunk of isWhole ? unknownTo(partial, response.body, url) : response.body) {
        refuseSize(partial.size + chunk.length, question, options, "more");
        await partial.append(chunk);
        if (!known) await partial.setValidator(validatorOf(response, url));
        known = true;
        yield chunk;
      }
    } catch (cause) {
      const isCut = partial.size > 0 && failureOf(cause, url)?.error.code === "UNREACHABLE";
      throw size !== null && isCut ? brokenOff(question, partial, size, cause) : cause;
    } finally {
      await response.discard();
    }
    if (size !== null && partial.size !== size) throw brokenOff(question, partial, size);
  }
}

/**
 * What comes after the part, of a server that sends everything from the start: it knows no ranges, or has another
 * content by now. Which of the two is told by the bytes that are known already.
 */
async function* unknownTo(
  partial: Partial,
  body: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const before = new ByteReader(partial.read());
  try {
    for await (const chunk of body) {
      const known = await before.upTo(chunk.length);
      if (!known.equals(chunk.subarray(0, known.length))) throw otherBytes(where);
      if (known.length < chunk.length) yield chunk.subarray(known.length);
    }
    if (!(await before.atEnd())) throw otherBytes(where);
  } finally {
    await before.close();
  }
}

function otherBytes(where: string): ExpectedError {
  return new ExpectedError("DIGEST_MISMATCH", "the server has other bytes than it had before", { where });
}

function brokenOff({ url }: Question, partial: Partial, size: number, cause?: unknown): RequestFailed {
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  const details = { where: url, expected: `${size} bytes`, found: `${partial.size} bytes`, cause };
  const error = new ExpectedError("TRUNCATED", `the server breaks off, again and again${why}`, details);
  return new RequestFailed(passing(error));
}

function rangeHeaders(url: string, { size, validator }: Partial): Record<string, string> {
  if (size === 0) return {};
  const range = `bytes=${size}-`;
  return validator?.url === url ? { range, "if-range": validator.value } : { range };
}

function validatorOf(response: HttpResponse, url: string): { url: string; value: string } | null {
  const etag = response.headers["etag"];
  // A weak ETag does not promise equal bytes, so a server must not resume by it.
  const value = typeof etag === "string" && !etag.startsWith("W/") ? etag : response.headers["last-modified"];
  return typeof value === "string" ? { url, value } : null;
}

function contentRange(response: HttpResponse): { start: number; total: number } | null {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(String(response.headers["content-range"] ?? ""));
  return match && { start: Number(match[1]), total: Number(match[2]) };
}

function refuseSize(
  bytes: number,
  { url, http }: Question,
  { size, largest: most }: DownloadOptions,
  found = `${bytes} bytes`,
): void {
  const largest = most ?? http.settings.largest ?? defaultLargest;
  if (size !== null && (found === "more" ? bytes > size : bytes !== size)) {
    const details = { where: url, expected: `${size} bytes`, found };
    throw new ExpectedError("SIZE_MISMATCH", "the server has another file than the lock pins", details);
  }
  if (bytes > largest) {
    throw new ExpectedError("TOO_LARGE", `this download is larger than ${largest} bytes`, { where: url });
  }
}
