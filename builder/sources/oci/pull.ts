/** Container images without a container engine: pinned for a lock, pulled into the store. */
import { Readable } from "node:stream";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Digest, Platform } from "#bundle";
import { digestOf } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { readAtMost } from "../../http/read.ts";
import type { LockedImage } from "../../lock/lock.ts";
import {
  checkImageConfig,
  choosePlatform,
  decodeManifest,
  type ImageBlob,
  type ImageManifest,
  largestManifest,
  plainDigest,
} from "./manifest.ts";
import type { ImageSource } from "./image-source.ts";
import type { Store } from "../../store/store.ts";
import { createDockerArchiveSource } from "./docker-archive.ts";
import { createDirectorySource } from "./directory.ts";
import { createLayoutSource } from "./layout.ts";
import { createRegistrySource, type RegistryOptions } from "./registry.ts";
import { nameInRuntime, parseReference } from "../../config/image-name.ts";

/** An image of one platform whose every blob, the manifest included, is in the store. */
export interface PulledImage {
  /** Full name under which a runtime keeps it: `registry.k8s.io/pause:3.10.2`. */
  readonly name: string;
  readonly platform: Platform;
  readonly manifest: ImageBlob;
  readonly config: ImageBlob;
  readonly layers: readonly ImageBlob[];
}

export interface ImageOptions extends RegistryOptions {
  /** Where to take it from instead of a registry: `oci:DIR[:TAG]`, `docker-archive:FILE` or `dir:DIR`. */
  readonly from?: string;
  /** Only what the store and local sources have. */
  readonly offline?: boolean;
}

const largestConfig = 8 * 1024 * 1024;

/**
 * Pins an image for one platform. `pinned` is the digest that a release manifest gives (`sha256:…`, of the index or
 * of the platform's manifest); a digest in the name counts as one too. Throws NOT_FOUND, PLATFORM_MISMATCH,
 * DIGEST_MISMATCH, FORMAT_INVALID and what the registry's HTTP may throw.
 */
export async function resolveImage(
  name: string,
  platform: Platform,
  options: ImageOptions & { readonly pinned?: string },
): Promise<LockedImage> {
  const reference = parseReference(name);
  const wanted = options.pinned ?? reference.digest;
  if (options.pinned !== undefined && reference.digest !== null && options.pinned !== reference.digest) {
    throw new ExpectedError("DIGEST_MISMATCH", "the release manifest and the image's name give different digests", {
      where: name,
      expected: options.pinned,
      found: reference.digest,
    });
  }
  const source = openSource(name, options);
  const asked = wanted ?? reference.tag ?? "latest";
  const { top, by } = await namedManifest(name, asked, wanted, { ...options, source });
  const chosen = await descend(source, top, platform);
  return {
    name,
    platform,
    digest: `sha256:${chosen.digest}`,
    resolved: `sha256:${top.digest}`,
    pinnedBy: wanted !== null ? "release" : options.from === undefined ? by : "operator",
    ...(options.from === undefined ? {} : { from: options.from }),
  };
}

/**
 * What a name means, as its own registry says: which manifest a tag is, no mirror may decide. Only where the registry
 * cannot be asked is the mirror's answer taken, and said to be that.
 */
async function namedManifest(
  name: string,
  asked: string,
  wanted: string | null,
  { source, ...options }: ImageOptions & { readonly source: ImageSource },
): Promise<{ top: VerifiedManifest; by: "upstream" | "mirror" }> {
  const mirrors = options.mirrors?.[parseReference(name).domain] ?? [];
  if (wanted !== null || options.from !== undefined || options.offline === true || mirrors.length === 0) {
    return { top: await verifiedManifest(source, asked, wanted), by: "upstream" };
  }
  try {
    return { top: await verifiedManifest(openSource(name, { ...options, mirrors: {} }), asked, null), by: "upstream" };
  } catch (error) {
    if (!isExpected(error) || error.exitCode !== 4) throw error;
    return { top: await verifiedManifest(source, asked, null), by: "mirror" };
  }
}

/** Brings a locked image into the store. Blobs that are there are neither asked for nor stored again. */
export async function pullImage(
  image: LockedImage,
  options: ImageOptions & { readonly onBlob?: (blob: ImageBlob) => void },
): Promise<PulledImage> {
  const { store } = options;
  const where = `${image.name} ${image.digest}`;
  const hex = plainDigest(image.digest, image.name);
  const from = options.from ?? image.from;
  const source = openSource(image.name, from === undefined ? options : { ...options, from });
  if (!(await store.has(hex))) {
    const raw = await verifiedManifest(source, image.digest, image.digest);
    await store.put(Readable.from([raw.bytes]), { digest: hex, size: raw.bytes.length });
  }
  const bytes = await readStored(store, hex, largestManifest, where);
  const manifest = decodeManifest(bytes, null, where);
  if (manifest.kind !== "manifest") {
    throw new ExpectedError("LOCK_INVALID", "the lock pins an index where a platform's manifest should be", { where });
  }
  await keepBlobs(source, manifest, options);
  const config = await readStored(store, manifest.config.digest, largestConfig, where);
  checkImageConfig(config, image.platform, manifest.layers.length, where);
  return {
    name: nameInRuntime(image.name),
    platform: image.platform,
    manifest: { mediaType: manifest.mediaType, digest: hex, size: bytes.length },
    config: manifest.config,
    layers: manifest.layers,
  };
}

/** The source that an image's name and `from` lead to. */
export function openSource(name: string, options: ImageOptions): ImageSource {
  const { from } = options;
  if (from === undefined) {
    return options.offline === true ? offlineSource(name) : createRegistrySource(parseReference(name), options);
  }
  if (from.startsWith("oci:")) return createLayoutSource(from.slice(4), name);
  if (from.startsWith("docker-archive:")) return createDockerArchiveSource(from.slice(15), name);
  if (from.startsWith("dir:")) return createDirectorySource(from.slice(4), name);
  throw new ExpectedError("CONFIG_INVALID", `an image cannot be taken from "${from}"`, {
    where: name,
    expected: "oci:DIRECTORY, docker-archive:FILE or dir:DIRECTORY",
    found: from,
  });
}

async function keepBlobs(
  source: ImageSource,
  manifest: ImageManifest,
  options: { readonly store: Store; readonly onBlob?: (blob: ImageBlob) => void },
): Promise<void> {
  for (const blob of [manifest.config, ...manifest.layers]) {
    if (blob === manifest.config && blob.size > largestConfig) throw configTooLarge(source);
    if (!(await options.store.has(blob.digest))) {
      const expected = { digest: blob.digest, size: blob.size };
      await source.open(
        blob,
        async (opened) => await options.store.put(opened.bytes, { ...expected, file: opened.file }),
      );
    }
    // A blob that another image brought is known by its digest; what this manifest says of its size may still be a lie.
    const { size } = await stat(options.store.path(blob.digest));
    if (size !== blob.size) {
      throw new ExpectedError("SIZE_MISMATCH", "a blob is not of the size that the image's manifest says", {
        where: `${source.where} sha256:${blob.digest}`,
        expected: `${blob.size} bytes`,
        found: `${size} bytes`,
      });
    }
    options.onBlob?.(blob);
  }
}

interface VerifiedManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly decoded: ReturnType<typeof decodeManifest>;
}

async function verifiedManifest(
  source: ImageSource,
  asked: string,
  expected: string | null,
): Promise<VerifiedManifest> {
  const where = `${source.where}${expected === null ? ":" : "@"}${asked}`;
  const raw = await source.resolve(asked);
  const digest = digestOf(raw.bytes);
  if (expected !== null && expected !== `sha256:${digest}`) {
    throw new ExpectedError("DIGEST_MISMATCH", "the registry gave another manifest than was asked for", {
      where,
      expected,
      found: `sha256:${digest}`,
      hint: "something between here and the registry changes bytes: try without the mirror or proxy",
    });
  }
  return { digest, bytes: raw.bytes, decoded: decodeManifest(raw.bytes, raw.mediaType, where) };
}

/** From an index (or an index within an index, never deeper) to the platform's manifest. */
async function descend(source: ImageSource, top: VerifiedManifest, platform: Platform): Promise<VerifiedManifest> {
  let current = top;
  for (let depth = 0; depth < 2; depth += 1) {
    if (current.decoded.kind === "manifest") break;
    const entry = choosePlatform(current.decoded, platform, source.where);
    current = await verifiedManifest(source, `sha256:${entry.digest}`, `sha256:${entry.digest}`);
    if (current.bytes.length !== entry.size) {
      throw new ExpectedError("SIZE_MISMATCH", "the manifest is not of the size that its index says", {
        where: source.where,
        expected: `${entry.size} bytes`,
        found: `${current.bytes.length} bytes`,
      });
    }
  }
  const { decoded } = current;
  if (decoded.kind !== "manifest") {
    throw new ExpectedError("FORMAT_INVALID", "this image is refused: its indexes are nested", { where: source.where });
  }
  if (decoded.config.size > largestConfig) throw configTooLarge(source);
  const config = await source.open(decoded.config, ({ bytes }) => readAtMost(bytes, decoded.config.size));
  if (config === null || digestOf(config) !== decoded.config.digest) {
    throw new ExpectedError("DIGEST_MISMATCH", "the image's configuration is not what its manifest names", {
      where: source.where,
      expected: `sha256:${decoded.config.digest}`,
      found: config === null ? "more bytes than the manifest says" : `sha256:${digestOf(config)}`,
    });
  }
  checkImageConfig(config, platform, decoded.layers.length, source.where);
  return current;
}

function configTooLarge({ where }: ImageSource): ExpectedError {
  return new ExpectedError("TOO_LARGE", "the image's configuration is larger than 8 MiB", { where });
}

async function readStored(store: Store, digest: Digest, limit: number, where: string): Promise<Buffer> {
  const bytes = await readAtMost(createReadStream(store.path(digest)), limit);
  if (bytes !== null && digestOf(bytes) === digest) return bytes;
  throw new ExpectedError("DIGEST_MISMATCH", "the store's copy is damaged", {
    where,
    expected: digest,
    found: bytes === null ? `more than ${limit} bytes` : digestOf(bytes),
    hint: "kubeferry store verify",
  });
}

function offlineSource(name: string): ImageSource {
  const fail = (): never => {
    throw new ExpectedError("OFFLINE", "not cached, and --offline is set", {
      where: `image ${name}`,
      hint: "run kubeferry fetch once without --offline, or fetch it by hand: kubeferry lock --list, kubeferry lock --from DIR",
    });
  };
  return { where: name, resolve: fail, open: fail };
}
