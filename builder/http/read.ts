/** Bytes by HTTP that are kept nowhere on their way: small answers as a whole, and streams that go on where they were cut. */
import { ExpectedError, messageOf } from "#cli/errors";
import { Attempts, type AttemptsOptions } from "./attempts.ts";
import type { HttpClient, HttpResponse } from "./client.ts";
import { failureOf, passing, RequestFailed, successful } from "./failure.ts";

export interface Question extends AttemptsOptions {
  readonly url: string;
  /** Makes one request; what is no success is thrown. */
  ask(headers: Readonly<Record<string, string>>): Promise<HttpResponse>;
}

/** A file of a web server. */
export function fileAt(url: string, http: HttpClient): Question {
  return { url, http, ask: async (headers) => await successful(await http.get(url, headers), url) };
}

/** TOO_LARGE, with its name `what`, when it has more than `limit` bytes; otherwise codes of exit 4. */
export async function readWhole(
  question: Question,
  {
    what,
    limit,
    headers = {},
  }: { readonly what: string; readonly limit: number; readonly headers?: Record<string, string> },
): Promise<{ bytes: Buffer; headers: HttpResponse["headers"] }> {
  const { url } = question;
  const attempts = new Attempts(url, question);
  for (;;) {
    try {
      const response = await question.ask(headers);
      const bytes = await readAtMost(response.body, limit);
      if (bytes !== null) return { bytes, headers: response.headers };
      throw new ExpectedError("TOO_LARGE", `${what} is larger than ${limit} bytes`, { where: url });
    } catch (cause) {
      await attempts.failed(cause);
    }
  }
}

/** Reads a stream that must not be longer than `limit` bytes into memory; null when it is. */
export async function readAtMost(bytes: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The bytes of a content of `size` bytes, whose digest the reader checks. SIZE_MISMATCH, TRUNCATED, codes of exit 4. */
export async function* readResumed(question: Question, size: number): AsyncGenerator<Uint8Array> {
  const attempts = new Attempts(question.url, question);
  for (let done = 0; done < size;) {
    const before = done;
    try {
      const response = await question.ask(done === 0 ? {} : { range: `bytes=${done}-` });
      for await (const chunk of onward(response, done, size, question.url)) {
        done += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      await attempts.failed(cause, done > before);
    }
  }
}

/** What an answer has of the bytes from `from` on. */
async function* onward(response: HttpResponse, from: number, size: number, where: string): AsyncGenerator<Uint8Array> {
  const range = String(response.headers["content-range"] ?? "");
  if (response.statusCode === 206 && !range.startsWith(`bytes ${from}-`)) {
    await response.body.dump();
    const details = { where, expected: `bytes ${from}-`, found: range };
    throw new ExpectedError("UNREACHABLE", "the server answered another range than was asked for", details);
  }
  // A server that knows no ranges begins anew; that it sends the same bytes again, the digest will tell.
  let at = response.statusCode === 206 ? from : 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      const known = Math.max(0, from - at);
      at += chunk.length;
      if (at > size) {
        const details = { where, expected: `${size} bytes`, found: "more" };
        throw new ExpectedError("SIZE_MISMATCH", "the server sends more than it should", details);
      }
      if (chunk.length > known) yield chunk.subarray(known);
    }
  } catch (cause) {
    const failure = failureOf(cause, where);
    throw at > 0 && failure?.error.code === "UNREACHABLE" ? brokenOff(at, size, where, cause) : cause;
  }
  if (at < size) throw brokenOff(at, size, where);
}

function brokenOff(at: number, size: number, where: string, cause?: unknown): RequestFailed {
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  const error = new ExpectedError("TRUNCATED", `the server breaks off, again and again${why}`, {
    where,
    expected: `${size} bytes`,
    found: `${at} bytes`,
    cause,
    hint: "run the same command again: what is in the store is not fetched again",
  });
  return new RequestFailed(passing(error));
}
