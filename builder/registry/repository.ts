/** One repository of a registry that takes images: what it has, and what it is given. */
import { createReadStream } from "node:fs";

import { ExpectedError } from "#cli/errors";
import { Attempts } from "../http/attempts.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../http/client.ts";
import { failureOfStatus, RequestFailed } from "../http/failure.ts";
import { readAtMost } from "../http/read.ts";
import type { RegistryHttp } from "../sources/oci/registry-session.ts";
import type { CarriedBlob, Manifest } from "./carried-images.ts";

export interface RepositoryOptions {
  /** `https://registry.plant.local:5000` */
  readonly base: string;
  /** `prefix/pause` */
  readonly name: string;
  readonly session: RegistryHttp;
  readonly http: HttpClient;
  readonly onRetry: (why: string, waitMs: number) => void;
}

const largestRefusal = 64 * 1024;

export class Repository {
  readonly name: string;
  readonly #options: RepositoryOptions;

  constructor(options: RepositoryOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Whether a blob is there, with all its bytes. */
  async has({ digest, size }: CarriedBlob): Promise<boolean> {
    const found = await this.#head(`blobs/sha256:${digest}`);
    // A registry that gives no length has the blob; one that gives another has something else.
    return found !== null && Number(found["content-length"] ?? size) === size;
  }

  /** Digest of what a tag or a digest leads to there; null where it leads nowhere. */
  async manifest(reference: string, accept: string): Promise<string | null> {
    const found = await this.#head(`manifests/${reference}`, { accept });
    const digest = found?.["docker-content-digest"];
    return typeof digest === "string" ? digest : null;
  }

  /**
   * Gives it a blob, from its first byte on: registries take no half one. `from`: a repository that has it already, whose
   * bytes most registries take over. How many bytes were sent.
   */
  async give(blob: CarriedBlob, from: string | null, onBytes: (count: number) => void): Promise<number> {
    const known = from === null ? "" : `?${new URLSearchParams({ mount: `sha256:${blob.digest}`, from }).toString()}`;
    const url = this.#url(`blobs/uploads/${known}`);
    return await this.#attempt(url, async () => {
      const begun = await this.#ask({ url, method: "POST", body: empty });
      await begun.discard();
      if (begun.statusCode === 201) return 0;
      const target = this.#uploadAt(String(begun.headers["location"] ?? ""), url);
      target.searchParams.set("digest", `sha256:${blob.digest}`);
      let sent = 0;
      const open = async function* (): AsyncGenerator<Uint8Array> {
        onBytes(-sent);
        sent = 0;
        const end = blob.offset + blob.size - 1;
        for await (const chunk of createReadStream(blob.file, {
          start: blob.offset,
          end,
          highWaterMark: 1024 * 1024,
        })) {
          sent += (chunk as Buffer).length;
          onBytes((chunk as Buffer).length);
          yield chunk as Buffer;
        }
      };
      const body = { size: blob.size, open: blob.size === 0 ? empty.open : open };
      try {
        const headers = { "content-type": "application/octet-stream" };
        const done = await this.#ask({ url: target.href, method: "PUT", headers, body });
        await done.discard();
      } catch (cause) {
        onBytes(-sent);
        throw cause;
      }
      return blob.size;
    });
  }

  /** Puts a manifest under a tag or its digest. DIGEST_MISMATCH where the registry keeps another one. */
  async put({ bytes, mediaType, digest }: Manifest, reference: string): Promise<void> {
    const url = this.#url(`manifests/${reference}`);
    const body = { size: bytes.length, open: () => once(bytes) };
    const response = await this.#attempt(
      url,
      async () => await this.#ask({ url, method: "PUT", headers: { "content-type": mediaType }, body }),
    );
    await response.discard();
    const kept = response.headers["docker-content-digest"];
    if (typeof kept !== "string" || kept === `sha256:${digest}`) return;
    const detail = { where: url, expected: `sha256:${digest}`, found: kept };
    throw new ExpectedError("DIGEST_MISMATCH", "the registry keeps another manifest than it was given", detail);
  }

  #url(path: string): string {
    return `${this.#options.base}/v2/${this.name}/${path}`;
  }

  /** The answer's headers; null for what is not there. */
  async #head(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse["headers"] | null> {
    const url = this.#url(path);
    return await this.#attempt(url, async () => {
      const response = await this.#options.session.send({ url, method: "HEAD", headers });
      await response.discard();
      if (response.statusCode === 404) return null;
      if (response.statusCode === 200) return response.headers;
      // Go's servers say so in a body, and HEAD has none.
      if (response.statusCode === 400 && url.startsWith("http:")) {
        const hint = "https:// instead of http://, if it speaks TLS";
        throw new ExpectedError("UNREACHABLE", "the registry answered 400", { where: url, hint });
      }
      throw failureOfStatus(response, url);
    });
  }

  async #ask(asked: HttpRequest): Promise<HttpResponse> {
    const response = await this.#options.session.send(asked);
    const wanted = asked.method === "POST" ? [201, 202] : [201, 204];
    if (wanted.includes(response.statusCode)) return response;
    throw await refusal(response, asked.url);
  }

  async #attempt<Value>(url: string, work: () => Promise<Value>): Promise<Value> {
    const { http, onRetry } = this.#options;
    const attempts = new Attempts(url, { http, onRetry, elsewhere: null });
    for (;;) {
      try {
        return await work();
      } catch (cause) {
        await attempts.failed(cause);
      }
    }
  }

  /** Credentials go where the operator said, and nowhere else. */
  #uploadAt(location: string, url: string): URL {
    const target = location !== "" && URL.canParse(location, url) ? new URL(location, url) : null;
    if (target !== null && target.origin === new URL(url).origin) return target;
    throw new ExpectedError(
      "UNREACHABLE",
      `the registry leads the upload to "${location.slice(0, 200)}", which is refused`,
      {
        where: url,
        expected: new URL(url).origin,
        hint: "where a proxy is in front of it, the registry wants X-Forwarded-Proto and Host, or http.host in its configuration",
      },
    );
  }
}

const empty = { size: 0, open: () => once(Buffer.alloc(0)) };

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** What a registry answered instead of taking something, in its own words. */
async function refusal(response: HttpResponse, url: string): Promise<RequestFailed> {
  const body = await readAtMost(response.body, largestRefusal).catch(() => null);
  const text = body?.toString("utf8") ?? "";
  const { failure } = failureOfStatus(response, url);
  const told = (error: ExpectedError, mayPass: boolean): RequestFailed =>
    new RequestFailed({ ...failure, error, mayPass }, response);
  if (/no space left|"Err":28\b|quota/i.test(text) || response.statusCode === 507) {
    const hint = "make room where the registry keeps its data, then run this again: what it has is not sent twice";
    return told(new ExpectedError("NO_SPACE", "the registry has no space left", { where: url, hint }), false);
  }
  if (response.statusCode === 413) {
    const hint = "in nginx: client_max_body_size 0";
    return told(
      new ExpectedError("TOO_LARGE", "a proxy in front of the registry takes no body of this size", {
        where: url,
        hint,
      }),
      false,
    );
  }
  const words = registryWords(text);
  if (words === null)
    return told(
      new ExpectedError("UNREACHABLE", `the registry answered ${response.statusCode}`, { where: url }),
      failure.mayPass,
    );
  return told(
    new ExpectedError("UNREACHABLE", `the registry answered ${response.statusCode}: ${words}`, { where: url }),
    failure.mayPass,
  );
}

/** `NAME_INVALID: invalid repository name`, of the distribution protocol's errors. */
function registryWords(text: string): string | null {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const words = (errors ?? []).map(({ code, message }) => `${String(code)}: ${String(message)}`);
    return words.length === 0 ? null : words.join("; ").slice(0, 500);
  } catch {
    return null;
  }
}
