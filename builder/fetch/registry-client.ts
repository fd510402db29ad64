/** An image's bytes from a registry, by the OCI distribution protocol. */
import { isExpected, ExpectedError } from "#kit/errors";
import { type ImageBlob, largestManifest, mediaTypes } from "./image-manifest.ts";
import { type ImageSource, type RawManifest, readAtMost } from "./image-source.ts";
import { networkError, RegistryHttp, type RegistryHttpOptions } from "./registry-http.ts";
import type { ImageReference } from "./registry-reference.ts";

export interface RegistryOptions extends RegistryHttpOptions {
  /** Base URLs to ask instead of a domain's own, in order: `{ "registry.k8s.io": ["http://127.0.0.1:5000"] }`. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Registries that speak plain HTTP; loopback ones always may. */
  readonly insecure?: readonly string[];
}

const accepted = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerList, mediaTypes.dockerManifest].join(
  ", ",
);

/** The source for one repository. A mirror that lacks a thing or is down is passed over; wrong bytes are an error. */
export function createRegistrySource(reference: ImageReference, options: RegistryOptions = {}): ImageSource {
  const bases = [...(options.mirrors?.[reference.domain] ?? []), ownBase(reference.domain, options)];
  const sessions = bases.map((base) => ({
    base: `${base.replace(/\/+$/, "")}/v2/${reference.repository}`,
    http: new RegistryHttp(reference.domain, reference.repository, options),
  }));

  async function first<T>(ask: (session: (typeof sessions)[number]) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const session of sessions) {
      try {
        return await ask(session);
      } catch (error) {
        if (!isExpected(error, "NOT_FOUND", "UNREACHABLE", "STALLED", "UNAUTHORIZED")) throw error;
        failure ??= error;
        // The registry's own answer says more than that of a mirror.
        if (session === sessions.at(-1)) failure = error;
      }
    }
    throw failure;
  }

  return {
    where: `${reference.domain}/${reference.repository}`,
    manifest: async (tagOrDigest) =>
      await first(async ({ base, http }) => await getManifest(http, `${base}/manifests/${tagOrDigest}`)),
    async *blob(blob) {
      const path = `blobs/sha256:${blob.digest}`;
      const { http, url, body } = await first(async (session) => {
        const at = `${session.base}/${path}`;
        return { http: session.http, url: at, body: (await session.http.get(at, {})).body };
      });
      yield* resumed(http, url, body, blob, options.attempts ?? 4);
    },
  };
}

async function getManifest(http: RegistryHttp, url: string): Promise<RawManifest> {
  const response = await http.get(url, { accept: accepted });
  let bytes: Buffer | null;
  try {
    bytes = await readAtMost(response.body, largestManifest);
  } catch (error) {
    throw networkError(error, url);
  }
  if (bytes === null) {
    throw new ExpectedError("TOO_LARGE", `the manifest is larger than ${largestManifest} bytes`, { where: url });
  }
  const mediaType = response.headers["content-type"];
  return { bytes, mediaType: typeof mediaType === "string" ? mediaType : null };
}

/** The blob's bytes; a connection that is cut is taken up again where it ended. The store checks the digest of it all. */
async function* resumed(
  http: RegistryHttp,
  url: string,
  opened: AsyncIterable<Uint8Array>,
  blob: ImageBlob,
  attempts: number,
): AsyncGenerator<Uint8Array> {
  let body = opened;
  let done = 0;
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown = null;
    try {
      for await (const chunk of body) {
        done += chunk.length;
        if (done > blob.size) throw tooLong(blob, url);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof ExpectedError) throw error;
      failure = error;
    }
    if (failure === null && done === blob.size) return;
    failure ??= new Error(`the registry ended after ${done} of ${blob.size} bytes`);
    if (attempt >= attempts) throw shortOf(failure, blob, done, url);
    await http.pause(attempt);
    const response = await http.get(url, done === 0 ? {} : { range: `bytes=${done}-` });
    body = response.statusCode === 206 ? fromRange(response, done, url) : skip(response.body, done);
  }
}

function fromRange(response: Awaited<ReturnType<RegistryHttp["get"]>>, from: number, url: string) {
  const range = String(response.headers["content-range"] ?? "");
  if (range.startsWith(`bytes ${from}-`)) return response.body;
  throw new ExpectedError("UNREACHABLE", "the registry answered another range than was asked for", {
    where: url,
    wanted: `bytes ${from}-`,
    found: range,
  });
}

async function* skip(body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of body) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

function tooLong(blob: ImageBlob, where: string): ExpectedError {
  return new ExpectedError("SIZE_MISMATCH", "the registry sends more than the manifest says", {
    where,
    wanted: `${blob.size} bytes`,
    found: "more",
  });
}

function shortOf(failure: unknown, blob: ImageBlob, done: number, url: string): ExpectedError {
  const error = networkError(failure, url);
  if (done === 0 || error.code === "STALLED") return error;
  return new ExpectedError("TRUNCATED", "the registry breaks off, again and again", {
    where: url,
    wanted: `${blob.size} bytes`,
    found: `${done} bytes`,
    cause: failure,
    hint: "run the same command again: what is in the store is not fetched again",
  });
}

function ownBase(domain: string, options: RegistryOptions): string {
  if (domain === "docker.io") return "https://registry-1.docker.io";
  const host = domain.replace(/:\d+$/, "");
  const loopback = host === "localhost" || host === "[::1]" || host.startsWith("127.");
  return `${loopback || (options.insecure ?? []).includes(domain) ? "http" : "https"}://${domain}`;
}
