/**
 * An image's bytes from a file that `docker save` wrote. Such a file has no manifest with digests, so one is put
 * together from the image's configuration, which names the digest of every layer: the same file gives the same manifest.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { posix } from "node:path";
import { type Digest, digestFile, digestOf, isDigest } from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import { largestManifest, mediaTypes, plainDigest } from "./manifest.ts";
import { openedFile } from "../source.ts";
import type { ImageSource } from "./image-source.ts";
import { nameInRuntime } from "../../config/image-name.ts";
import { linkTarget } from "../../archive/member-name.ts";
import { readTarMembers, type TarMember } from "../../archive/tar-members.ts";

interface Place {
  readonly offset: number;
  readonly size: number;
}

interface Opened {
  readonly manifest: Buffer;
  readonly blobs: ReadonlyMap<Digest, Place>;
}

/** The archive's image that is tagged with `name`, or its only one. Compressed archives are refused: unpack them first. */
export function createDockerArchiveSource(file: string, name: string): ImageSource {
  const where = `docker-archive:${file}`;
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => (opened ??= openArchive(file, name, where));
  return {
    where,
    async resolve(asked) {
      const { manifest } = await open();
      if (asked.startsWith("sha256:") && asked !== `sha256:${digestOf(manifest)}`) {
        const detail = { where, expected: asked, found: `sha256:${digestOf(manifest)}` };
        throw new ExpectedError("DIGEST_MISMATCH", "the archive holds another image than the lock pins", detail);
      }
      return { bytes: manifest, mediaType: mediaTypes.ociManifest };
    },
    async open({ digest }, take) {
      const found = (await open()).blobs.get(digest);
      if (found === undefined) throw new ExpectedError("NOT_FOUND", `the archive has no blob ${digest}`, { where });
      const range = { start: found.offset, end: found.offset + found.size - 1 };
      return await take(openedFile(where, file, range));
    },
  };
}

async function openArchive(file: string, name: string, where: string): Promise<Opened> {
  const members = await readTarMembers(file).catch((cause: unknown) => {
    const code = cause instanceof ExpectedError ? cause.code : "NOT_FOUND";
    throw new ExpectedError(code, `the archive cannot be read: ${messageOf(cause)}`, { where, cause });
  });
  const image = chooseImage(readJson(file, members, "manifest.json", where), name, where);
  const configPlace = find(members, image.config, where);
  const configBytes = readRange(file, configPlace, where);
  const diffIds = diffIdsOf(configBytes, where);
  if (diffIds.length !== image.layers.length) {
    const detail = { where, expected: `${diffIds.length} layers`, found: `${image.layers.length} layers` };
    throw new ExpectedError("FORMAT_INVALID", "this image is refused: manifest.json and configuration differ", detail);
  }
  const blobs = new Map<Digest, Place>([[digestOf(configBytes), configPlace]]);
  const layers = image.layers.map((path, at) => {
    const place = find(members, path, where);
    const packed = compressionOf(file, place);
    const digest = packed === "" ? plainDigest(diffIds[at] ?? "", where) : layerDigest(file, path, place);
    blobs.set(digest, place);
    return { mediaType: `${mediaTypes.ociLayer}${packed}`, digest: `sha256:${digest}`, size: place.size };
  });
  const config = {
    mediaType: mediaTypes.ociConfig,
    digest: `sha256:${digestOf(configBytes)}`,
    size: configBytes.length,
  };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  return { manifest: Buffer.from(JSON.stringify(manifest)), blobs };
}

interface SavedImage {
  readonly config: string;
  readonly layers: readonly string[];
}

function chooseImage(value: unknown, name: string, where: string): SavedImage {
  const images = (Array.isArray(value) ? value : []).map((item: unknown) => {
    const { Config, RepoTags, Layers } = item as { Config?: unknown; RepoTags?: unknown; Layers?: unknown };
    const strings = (list: unknown): string[] => (Array.isArray(list) ? list.map(String) : []);
    return { config: typeof Config === "string" ? Config : "", tags: strings(RepoTags), layers: strings(Layers) };
  });
  const expected = nameInRuntime(name);
  const tagged = images.find(({ tags }) => tags.some((tag) => nameInRuntime(tag) === expected));
  const chosen = tagged ?? (images.length === 1 ? images[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw new ExpectedError("NOT_FOUND", `the archive has no image ${expected}`, {
    where,
    expected,
    found: images.flatMap(({ tags }) => tags).join(", ") || "no tagged image",
  });
}

function diffIdsOf(config: Buffer, where: string): string[] {
  try {
    const value = JSON.parse(config.toString("utf8")) as { rootfs?: { diff_ids?: unknown } };
    if (Array.isArray(value.rootfs?.diff_ids)) return value.rootfs.diff_ids.map(String);
  } catch {
    // Said below: a file that is not JSON has no list either.
  }
  throw new ExpectedError("FORMAT_INVALID", "this image is refused: its configuration lists no layers", { where });
}

/** The member at `path`, through at most one link within the archive (old versions of docker link equal layers). */
function find(members: ReadonlyMap<string, TarMember>, path: string, where: string): Place {
  const name = posix.normalize(path);
  const found = members.get(name);
  const isLink = found?.kind === "symlink" || found?.kind === "hardlink";
  const target = isLink ? members.get(linkTarget(name, found.kind, found.target, false)) : found;
  if (target?.kind === "file") return target;
  throw new ExpectedError("MEMBER_MISSING", `the archive names "${path}" and does not hold it`, { where });
}

function readJson(file: string, members: ReadonlyMap<string, TarMember>, path: string, where: string): unknown {
  const bytes = readRange(file, find(members, path, where), where);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new ExpectedError("FORMAT_INVALID", `${path} is not JSON`, { where, cause });
  }
}

function readRange(file: string, place: Place, where: string): Buffer {
  if (place.size > largestManifest)
    throw new ExpectedError("TOO_LARGE", "a description is larger than 4 MiB", { where });
  const bytes = Buffer.alloc(place.size);
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, place.size, place.offset);
  } finally {
    closeSync(handle);
  }
  return bytes;
}

function layerDigest(file: string, path: string, place: Place): Digest {
  const named = posix.basename(path);
  return path.startsWith("blobs/sha256/") && isDigest(named)
    ? named
    : digestFile(file, place.offset, place.size).digest;
}

function compressionOf(file: string, place: Place): "" | "+gzip" | "+zstd" {
  const magic = readRange(file, { offset: place.offset, size: Math.min(4, place.size) }, "").toString("hex");
  if (magic.startsWith("1f8b")) return "+gzip";
  return magic === "28b52ffd" ? "+zstd" : "";
}
