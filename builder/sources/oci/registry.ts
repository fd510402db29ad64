/** An image's bytes from a registry, by the OCI distribution protocol. */
import type { HttpClient, HttpResponse } from "../../http/client.ts";
import { errorOfPlaces, type Failure, failureOf, RequestFailed } from "../../http/failure.ts";
import { type Question, readWhole } from "../../http/read.ts";
import { largestManifest, mediaTypes } from "./manifest.ts";
import type { Store } from "../../store/store.ts";
import { download } from "../http/download.ts";
import type { ImageSource } from "./image-source.ts";
import { RegistryHttp } from "./registry-session.ts";
import type { ImageReference } from "../../config/image-name.ts";

export interface RegistryOptions {
  readonly http: HttpClient;
  /** Keeps what came of a blob that was cut short. */
  readonly store: Store;
  /** Base URLs to ask before a domain's own, in order: `{ "registry.k8s.io": ["http://127.0.0.1:5000"] }`. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
}

interface Endpoint {
  /** `https://registry.k8s.io/v2/pause` */
  readonly base: string;
  readonly session: RegistryHttp;
}

const accepted = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerList, mediaTypes.dockerManifest];

/** The source for one repository. A mirror that lacks a thing or is down is passed over; wrong bytes are an error. */
export function createRegistrySource(
  { domain, repository }: ImageReference,
  { http, store, mirrors = {} }: RegistryOptions,
): ImageSource {
  const endpoint = (base: string, account: string): Endpoint => ({
    base: `${base.replace(/\/+$/, "")}/v2/${repository}`,
    session: new RegistryHttp({ http, account: new URL(account), repository }),
  });
  const own = endpoint(ownBase(domain), `https://${domain}`);
  const endpoints = [...(mirrors[domain] ?? []).map((mirror) => endpoint(mirror, mirror)), own];
  const elsewhere = `--registry ${domain}=URL`;
  const question = (path: string): Question => ({
    url: `${own.base}/${path}`,
    http,
    elsewhere,
    ask: async (headers) => await firstAnswer(endpoints, path, headers, elsewhere),
  });
  return {
    where: `${domain}/${repository}`,
    async resolve(tagOrDigest) {
      const { bytes, headers } = await readWhole(question(`manifests/${tagOrDigest}`), {
        what: "the manifest",
        limit: largestManifest,
        headers: { accept: accepted.join(", ") },
      });
      const mediaType = headers["content-type"];
      return { bytes, mediaType: typeof mediaType === "string" ? mediaType : null };
    },
    open: async ({ digest, size }, take) =>
      await download(question(`blobs/sha256:${digest}`), store, { key: `sha256-${digest}`, size }, take),
  };
}

/** The first answer with content; when there is none, one failure of all. */
async function firstAnswer(
  endpoints: readonly Endpoint[],
  path: string,
  headers: Readonly<Record<string, string>>,
  elsewhere: string,
): Promise<HttpResponse> {
  const failures: Failure[] = [];
  let answer: HttpResponse | undefined;
  for (const { base, session } of endpoints) {
    const url = `${base}/${path}`;
    try {
      return await session.get(url, headers);
    } catch (cause) {
      const failure = failureOf(cause, url, elsewhere);
      if (failure === null) throw cause;
      failures.push(failure);
      if (cause instanceof RequestFailed) answer = cause.response;
    }
  }
  const error = errorOfPlaces(failures.map((failure) => failure.error));
  const mayPass = failures.some((failure) => failure.mayPass);
  throw new RequestFailed({ error, mayPass, retryAfter: failures.at(-1)?.retryAfter ?? null }, answer);
}

/** Where a registry of this name answers: by https, on loopback without TLS. */
export function ownBase(domain: string): string {
  if (domain === "docker.io") return "https://registry-1.docker.io";
  const host = domain.replace(/:\d+$/, "");
  const loopback = host === "localhost" || host === "[::1]" || host.startsWith("127.");
  return `${loopback ? "http" : "https"}://${domain}`;
}
