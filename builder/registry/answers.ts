/** What a read-only registry answers: the distribution protocol's GET and HEAD over a bundle's images. Pure. */
import type { CarriedBlob, CarriedImage, Manifest } from "./carried-images.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes in memory, or so many of a blob from `start` on. */
  readonly body: Buffer | BlobRange;
}

export interface BlobRange {
  readonly blob: CarriedBlob;
  readonly start: number;
  readonly size: number;
}

/** What is asked: a path with its query, and the header Range. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly range: string | undefined;
}

interface Named {
  readonly domain: string;
  readonly manifest: Manifest;
}

interface Served {
  /** Of one repository there may be several: registries of upstream are told apart by `?ns=`. */
  readonly tags: Map<string, Named[]>;
  readonly manifests: Map<string, Manifest>;
  readonly blobs: Map<string, CarriedBlob>;
}

export type Catalogue = ReadonlyMap<string, Served>;

export function catalogueOf(images: readonly CarriedImage[]): Catalogue {
  const catalogue = new Map<string, Served>();
  for (const { reference, top, platforms } of images) {
    const { domain, repository, tag } = reference;
    const served = catalogue.get(repository) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() };
    catalogue.set(repository, served);
    if (tag !== null) served.tags.set(tag, [...(served.tags.get(tag) ?? []), { domain, manifest: top }]);
    for (const one of [top, ...platforms.map(({ manifest }) => manifest)]) served.manifests.set(one.digest, one);
    for (const blob of platforms.flatMap(({ blobs }) => blobs)) served.blobs.set(blob.digest, blob);
  }
  return catalogue;
}

export function answer(catalogue: Catalogue, { method, url, range }: Asked): Answer {
  if (method !== "GET" && method !== "HEAD") {
    return refused(405, "UNSUPPORTED", "this registry is a bundle: nothing can be put into it", { allow: "GET, HEAD" });
  }
  const asked = URL.canParse(url, "http://registry") ? new URL(url, "http://registry") : null;
  const { pathname = "", searchParams: query = new URLSearchParams() } = asked ?? {};
  if (pathname === "/v2/" || pathname === "/v2") return json({});
  if (pathname === "/v2/_catalog") return json({ repositories: page([...catalogue.keys()], query) });
  const [, name = "", kind = "", reference = ""] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(pathname) ?? [];
  const served = catalogue.get(name);
  if (served === undefined) return refused(404, "NAME_UNKNOWN", "the bundle has no image of this name");
  if (kind === "tags") return json({ name, tags: page([...served.tags.keys()], query) });
  if (kind === "manifests") return manifestAnswer(served, reference, query.get("ns"));
  const blob = served.blobs.get(reference.replace(/^sha256:/, ""));
  return blob === undefined ? refused(404, "BLOB_UNKNOWN", "the bundle has no such blob") : blobAnswer(blob, range);
}

function manifestAnswer(served: Served, reference: string, domain: string | null): Answer {
  const isDigest = reference.startsWith("sha256:");
  const tagged = (served.tags.get(reference) ?? []).filter((one) => domain === null || one.domain === domain);
  const found = isDigest ? served.manifests.get(reference.slice(7)) : tagged[0]?.manifest;
  if (found === undefined) return refused(404, "MANIFEST_UNKNOWN", "the bundle has no such image");
  if (!isDigest && tagged.some(({ manifest }) => manifest.digest !== found.digest)) {
    const domains = tagged.map((one) => one.domain).join(", ");
    return refused(404, "MANIFEST_UNKNOWN", `several registries have it: ask with ?ns= and one of ${domains}`);
  }
  return {
    status: 200,
    headers: {
      ...digestHeaders(found.digest),
      "content-type": found.mediaType,
      "content-length": String(found.bytes.length),
    },
    body: found.bytes,
  };
}

function blobAnswer(blob: CarriedBlob, header: string | undefined): Answer {
  const headers = {
    ...digestHeaders(blob.digest),
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
  };
  const range = rangeOf(header, blob.size);
  if (range === null) {
    return {
      ...refused(416, "SIZE_INVALID", "the blob ends before"),
      headers: { "content-range": `bytes */${blob.size}` },
    };
  }
  const { start, size } = range;
  const part = size === blob.size ? {} : { "content-range": `bytes ${start}-${start + size - 1}/${blob.size}` };
  return {
    status: size === blob.size ? 200 : 206,
    headers: { ...headers, ...part, "content-length": String(size) },
    body: { blob, start, size },
  };
}

/** Of `bytes=0-99`, `bytes=100-` and `bytes=-100`; of anything else the whole, as RFC 9110 has it. Null: past the end. */
function rangeOf(header: string | undefined, size: number): { start: number; size: number } | null {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return { start: 0, size };
  if (from === "") {
    const last = Math.min(Number(to), size);
    return last === 0 ? null : { start: size - last, size: last };
  }
  const [start, end] = [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
  if (start >= size) return null;
  return end < start ? { start: 0, size } : { start, size: end - start + 1 };
}

/** Sorted, those behind `last`, `n` of them at most. */
function page(names: readonly string[], query: URLSearchParams): string[] {
  const [last, most] = [query.get("last") ?? "", query.get("n") ?? ""];
  return names
    .filter((name) => name > last)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .slice(0, /^\d{1,9}$/.test(most) ? Number(most) : undefined);
}

function digestHeaders(digest: string): Record<string, string> {
  return { "docker-content-digest": `sha256:${digest}`, etag: `"sha256:${digest}"` };
}

function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  return {
    status,
    headers: { ...headers, "content-type": "application/json", "content-length": String(body.length) },
    body,
  };
}

function refused(status: number, code: string, message: string, headers?: Readonly<Record<string, string>>): Answer {
  return json({ errors: [{ code, message }] }, status, headers);
}
