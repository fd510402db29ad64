/** All places where an artifact may be got, in the order in which they are tried. Pure. */
import { basename, isAbsolute, join, posix, resolve } from "node:path";
import { ExpectedError } from "#cli/errors";
import type { LockedArtifact } from "../lock/lock.ts";
import { debianArchitecture, parseSource } from "./address.ts";

export type Place =
  | { readonly kind: "http"; readonly url: string; readonly mirror: boolean }
  | { readonly kind: "file"; readonly path: string; readonly mirror: boolean }
  | { readonly kind: "apt"; readonly package: string; readonly version: string; readonly architecture: string };

export interface PlaceOptions {
  /** `--mirror`: URLs or folders that stand in for upstream, tried before it, in order; digests stay what the lock says. */
  readonly mirrors: readonly string[];
  /** Only what is in the store, in mirrors that are folders, and in `file:` sources. */
  readonly offline: boolean;
}

type Wanted = Pick<LockedArtifact, "resolved" | "mirrors" | "platform">;

/**
 * `--mirror` first (`<mirror>/<host>/<path>`, `<mirror>/<path>`, `<mirror>/<basename>`, each mirror in turn), then where the
 * lock says, then the further places that the release names.
 */
export function placesFor(artifact: Wanted, options: PlaceOptions): Place[] {
  const upstream = [artifact.resolved, ...artifact.mirrors].map((text) => upstreamPlace(text, artifact.platform));
  const names = upstream.flatMap(namesInMirror).filter(isFirst);
  const mirrored = options.mirrors.flatMap((mirror) => names.map((name) => within(mirror, name)));
  return [...mirrored, ...upstream].filter((place) => !options.offline || place.kind === "file");
}

function isFirst(name: MirrorName, index: number, all: readonly MirrorName[]): boolean {
  return all.findIndex(({ plain }) => plain === name.plain) === index;
}

function upstreamPlace(text: string, platform: LockedArtifact["platform"]): Place {
  const source = parseSource(text);
  if (source.kind === "http") return { kind: "http", url: source.url.href, mirror: false };
  if (source.kind === "file") return { kind: "file", path: source.path, mirror: false };
  if (source.version === null) {
    throw new ExpectedError("LOCK_INVALID", `the lock does not say which version of ${source.package}`, {
      where: text,
      hint: "kubeferry lock --update",
    });
  }
  const { package: name, version } = source;
  return { kind: "apt", package: name, version, architecture: debianArchitecture(platform) };
}

/** A relative name: as a file's and as a part of a URL. */
interface MirrorName {
  readonly plain: string;
  readonly escaped: string;
}

/** Under which relative names a mirror may have it. */
function namesInMirror(place: Place): MirrorName[] {
  if (place.kind === "file") return [fileName(basename(place.path))];
  if (place.kind === "http") {
    const url = new URL(place.url);
    const path = url.pathname.replace(/^\/+/, "");
    return [posix.join(url.host, path), path, posix.basename(path)]
      .filter((name) => name !== "")
      .map((escaped) => ({ escaped, plain: unescaped(escaped) }));
  }
  // An epoch's colon is escaped by apt and left out in a distribution's pool; packages for every architecture say `all`.
  const versions = new Set([place.version, place.version.replace(":", "%3a"), place.version.replace(/^\d+:/, "")]);
  return [...versions].flatMap((version) =>
    [place.architecture, "all"].map((architecture) => fileName(`${place.package}_${version}_${architecture}.deb`)),
  );
}

function fileName(plain: string): MirrorName {
  return { plain, escaped: encodeURIComponent(plain) };
}

function within(mirror: string, { plain, escaped }: MirrorName): Place {
  if (/^https?:\/\//.test(mirror)) {
    const url = new URL(mirror);
    url.pathname = posix.join(url.pathname, escaped);
    return { kind: "http", url: url.href, mirror: true };
  }
  const folder = mirror.startsWith("file:") ? mirror.slice(5).replace(/^\/\/(?=\/)/, "") : mirror;
  return { kind: "file", path: join(isAbsolute(folder) ? folder : resolve(folder), plain), mirror: true };
}

/** A URL's path as a file's name: percent escapes are undone, and what would leave the mirror stays escaped. */
function unescaped(name: string): string {
  try {
    const plain = decodeURIComponent(name);
    return plain.split("/").includes("..") || plain.includes("\0") ? name : plain;
  } catch {
    return name;
  }
}

/** How a place is told to people. */
export function describePlace(place: Place): string {
  if (place.kind === "http") return place.url;
  return place.kind === "file" ? place.path : `apt:${place.package}=${place.version} (${place.architecture})`;
}
