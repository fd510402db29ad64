/** A bundle's container images, taken out into the store: each manifest and blob as a range of its image's archive. */
import { rm } from "node:fs/promises";
import {
  type Bundle,
  type BundleIndex,
  blobPath,
  type Digest,
  digestOf,
  type ImageEntry,
  type Member,
  openBundle,
  readMember,
  type Trust,
} from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import { readTarMembers, type TarMember } from "../archive/tar-members.ts";
import { type ImageReference, parseReference } from "../config/image-name.ts";
import { decodeManifest, largestManifest, mediaTypes } from "../sources/oci/manifest.ts";
import { Store } from "../store/store.ts";

/** Bytes that a registry keeps under their digest: where they lie in an archive. */
export interface CarriedBlob extends Member {
  readonly digest: Digest;
}

export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface PlatformImage {
  /** `linux/amd64` */
  readonly platform: string;
  readonly manifest: Manifest;
  /** Configuration and layers, each once. */
  readonly blobs: readonly CarriedBlob[];
}

export interface CarriedImage {
  /** `registry.k8s.io/pause:3.10` */
  readonly name: string;
  readonly reference: ImageReference;
  /** What the name leads to: the one platform's manifest, or an index of the bundle's platforms. */
  readonly top: Manifest;
  readonly platforms: readonly PlatformImage[];
}

/** Which bundle's, and the store they go through. */
export interface ImagesRequest {
  readonly bundle: string;
  readonly trust: Trust | null;
  /** The store's folder. */
  readonly cache: string;
}

/**
 * Every image of a bundle, in the order of names. Archives go into the store, where they are checked and stay for the next
 * run. USAGE where the bundle has none; DIGEST_MISMATCH, MEMBER_MISSING and the like where it is damaged.
 */
export async function takeImages(
  request: ImagesRequest,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<{ index: BundleIndex; images: CarriedImage[] }> {
  const bundle = await openBundle(request.bundle, [request.trust]);
  const store = await Store.open(request.cache);
  reporter.stage("take", `the images of ${bundle.index.cluster.name}, each checked`);
  const images = await imagesIn(bundle, store, signal);
  for (const { name, reference, top } of images) {
    if (reference.digest === null || reference.digest === `sha256:${top.digest}`) continue;
    reporter.warn(
      `${name}: the bundle has sha256:${top.digest} of it, and no registry can give that under this digest`,
    );
  }
  return { index: bundle.index, images };
}

async function imagesIn(bundle: Bundle, store: Store, signal: AbortSignal): Promise<CarriedImage[]> {
  const { index, where } = bundle;
  if (index.images.length === 0) throw new ExpectedError("USAGE", "this bundle carries no images", { where });
  const archives = new Map(index.images.map((entry) => [entry, archiveOf(bundle, entry)]));
  // Under names of its own until it is whole: another run may take out the same.
  const lacking = new Map<Digest, string>();
  for (const digest of archives.values()) if (!(await store.has(digest))) lacking.set(digest, store.newFile());
  try {
    await bundle.extract(new Set(lacking.keys()), (digest) => lacking.get(digest) ?? store.newFile(), signal);
    for (const [digest, file] of lacking) await store.adopt(file, digest);
  } catch (cause) {
    throw store.explained(cause);
  } finally {
    for (const file of lacking.values()) await rm(file, { force: true });
  }
  const byName = new Map<string, PlatformImage[]>();
  for (const [entry, digest] of archives) {
    byName.set(entry.name, [...(byName.get(entry.name) ?? []), await openArchive(store.path(digest), entry, where)]);
  }
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, platforms]) => ({ name, reference: parseReference(name), top: topOf(platforms), platforms }));
}

function archiveOf({ index, where }: Bundle, { name, path }: ImageEntry): Digest {
  const file = index.files.find((one) => one.path === path && !one.sensitive);
  if (file !== undefined) return file.digest;
  throw new ExpectedError("FORMAT_INVALID", `the index names no file ${path} for the image ${name}`, { where });
}

async function openArchive(file: string, entry: ImageEntry, bundle: string): Promise<PlatformImage> {
  const where = `${bundle}: ${entry.path}`;
  const members = await readTarMembers(file);
  const digest = entry.digest.replace(/^sha256:/, "");
  const bytes = readMember(range(file, members, { digest }, where), largestManifest);
  if (digestOf(bytes) !== digest) {
    const detail = { where, expected: digest, found: digestOf(bytes) };
    throw new ExpectedError("DIGEST_MISMATCH", `the manifest of ${entry.name} is not what the index says`, detail);
  }
  const manifest = decodeManifest(bytes, null, where);
  if (manifest.kind === "index") {
    throw new ExpectedError("FORMAT_INVALID", `${entry.name} is an index, and wants the image of one platform`, {
      where,
    });
  }
  const named = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob]));
  return {
    platform: entry.for.platforms?.[0] ?? "linux/amd64",
    manifest: { digest: digestOf(bytes), mediaType: manifest.mediaType, bytes },
    blobs: [...named.values()].map((blob) => range(file, members, blob, where)),
  };
}

function range(
  file: string,
  members: ReadonlyMap<string, TarMember>,
  { digest, size }: { readonly digest: string; readonly size?: number },
  where: string,
): CarriedBlob {
  const path = blobPath(digest as Digest);
  const member = members.get(path);
  if (member?.kind === "file" && (size === undefined || size === member.size)) {
    return { digest: digest as Digest, path, file, offset: member.offset, size: member.size, mode: 0o644, uid: 0 };
  }
  if (member === undefined) throw new ExpectedError("MEMBER_MISSING", `the image's archive has no ${path}`, { where });
  const detail = { where, expected: `${size} bytes`, found: `${member.size} bytes` };
  throw new ExpectedError("SIZE_MISMATCH", `${path} is not of the size that the image's manifest says`, detail);
}

/** Upstream's index names platforms that the bundle does not have, so one is made of those that it has: always the same. */
function topOf(platforms: readonly PlatformImage[]): Manifest {
  const [only, ...more] = platforms;
  if (only !== undefined && more.length === 0) return only.manifest;
  const manifests = platforms
    .toSorted((a, b) => (a.platform < b.platform ? -1 : 1))
    .map(({ platform, manifest: { mediaType, digest, bytes } }) => {
      const [os, architecture] = platform.split("/");
      return { mediaType, digest: `sha256:${digest}`, size: bytes.length, platform: { architecture, os } };
    });
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  return { digest: digestOf(bytes), mediaType: mediaTypes.ociIndex, bytes };
}
