/** Small answers, read as a whole. */
import { ExpectedError } from "#cli/errors";
import { Attempts, type AttemptsOptions } from "./attempts.ts";
import type { HttpClient, HttpResponse } from "./client.ts";
import { successful } from "./failure.ts";

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
