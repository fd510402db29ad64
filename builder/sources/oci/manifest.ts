/**
 * Manifests of container images, decoded and refused: OCI and docker schema 2. Everything here came from a registry
 * and is not trusted; what a digest vouches for is only that it is the bytes somebody once pushed.
 */
import * as z from "zod";
import { type Digest, isDigest, type Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";

/** One blob that a manifest names. */
export interface ImageBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface ImageManifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: ImageBlob;
  /** Lowest first. */
  readonly layers: readonly ImageBlob[];
}

export interface ImageIndexEntry extends ImageBlob {
  /** `linux/amd64`, `linux/arm/v7`; null where the index does not say. */
  readonly platform: string | null;
}

export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly entries: readonly ImageIndexEntry[];
}

export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
} as const;

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerList];
const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];
const layerTypes: readonly string[] = [
  mediaTypes.ociLayer,
  `${mediaTypes.ociLayer}+gzip`,
  `${mediaTypes.ociLayer}+zstd`,
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
];

/** A manifest or index larger than this is refused unread. */
export const largestManifest = 4 * 1024 * 1024;
const mostLayers = 512;
const mostEntries = 1024;

const blobShape = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.int().nonnegative(),
  urls: z.array(z.string()).optional(),
});
const platformShape = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
const manifestShape = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: blobShape,
  layers: z.array(blobShape),
});
const indexShape = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(blobShape.extend({ platform: platformShape.optional() })),
});
const configShape = z.object({
  os: z.string(),
  architecture: z.string(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/)) }),
});

/**
 * A manifest or index from its bytes. `declared` is the media type that came with them (a header, a descriptor).
 * FORMAT_INVALID for what is no image: schema 1, foreign layers, artifacts that are not images, broken JSON.
 */
export function decodeManifest(bytes: Uint8Array, declared: string | null, where: string): ImageManifest | ImageIndex {
  const value = parseJson(bytes, where);
  const type = declaredType(value, declared, where);
  if (indexTypes.includes(type)) return decodeIndexOf(value, type, where);
  if (manifestTypes.includes(type)) return decodeManifestOf(value, type, where);
  throw refuse(`"${type}" is not the media type of an image's manifest`, where);
}

/** Checks an image's configuration against the platform that was asked for and the number of its layers. */
export function checkImageConfig(bytes: Uint8Array, platform: Platform, layers: number, where: string): void {
  const config = check(configShape, parseJson(bytes, where), where);
  const found = `${config.os}/${config.architecture}`;
  if (found !== platform) {
    throw new ExpectedError("PLATFORM_MISMATCH", "the image is for another platform", {
      where,
      expected: platform,
      found,
    });
  }
  if (config.rootfs.diff_ids.length !== layers) {
    throw refuse(`its configuration lists ${config.rootfs.diff_ids.length} layers and its manifest ${layers}`, where);
  }
}

/** The entry of an index for a platform (`linux/arm64` also as variant v8). PLATFORM_MISMATCH lists what there is. */
export function choosePlatform(index: ImageIndex, platform: Platform, where: string): ImageIndexEntry {
  const wanted = platform === "linux/arm64" ? [platform, `${platform}/v8`] : [platform];
  const matching = index.entries.filter((entry) => entry.platform !== null && wanted.includes(entry.platform));
  const [first, second] = matching;
  if (first === undefined) {
    const found = index.entries
      .map((entry) => entry.platform ?? "(no platform)")
      .filter((name) => name !== "unknown/unknown");
    throw new ExpectedError("PLATFORM_MISMATCH", "the image does not exist for this platform", {
      where,
      expected: platform,
      found: found.length === 0 ? "nothing" : found.join(", "),
      hint: "choose a tag that has this platform, or take the platform out of cluster.yaml",
    });
  }
  if (second !== undefined && second.digest !== first.digest) {
    throw refuse(`its index names two different manifests for ${platform}`, where);
  }
  return first;
}

/** `sha256:<hex>` of a descriptor to a plain digest; FORMAT_INVALID for any other algorithm. */
export function plainDigest(text: string, where: string): Digest {
  const hex = text.startsWith("sha256:") ? text.slice(7) : "";
  if (!isDigest(hex)) throw refuse(`"${text.slice(0, 80)}" is not a digest of the form sha256:<64 hex digits>`, where);
  return hex;
}

function decodeManifestOf(value: unknown, mediaType: string, where: string): ImageManifest {
  const manifest = check(manifestShape, value, where);
  if (!configTypes.includes(manifest.config.mediaType)) {
    throw refuse(`it is no container image: its configuration is of type "${manifest.config.mediaType}"`, where);
  }
  if (manifest.layers.length > mostLayers) throw refuse(`it has more than ${mostLayers} layers`, where);
  return {
    kind: "manifest",
    mediaType,
    config: blobOf(manifest.config, where),
    layers: manifest.layers.map((layer) => layerOf(layer, where)),
  };
}

function decodeIndexOf(value: unknown, mediaType: string, where: string): ImageIndex {
  const index = check(indexShape, value, where);
  if (index.manifests.length > mostEntries) throw refuse(`its index has more than ${mostEntries} entries`, where);
  const entries = index.manifests.map((entry) => ({ ...blobOf(entry, where), platform: platformName(entry.platform) }));
  return { kind: "index", mediaType, entries };
}

function layerOf(layer: z.infer<typeof blobShape>, where: string): ImageBlob {
  const foreign = /foreign|nondistributable/.test(layer.mediaType) || (layer.urls ?? []).length > 0;
  if (foreign) {
    throw refuse(
      `its layer ${layer.digest} is a foreign one, which registries do not hold (Windows base images)`,
      where,
    );
  }
  if (!layerTypes.includes(layer.mediaType))
    throw refuse(`"${layer.mediaType}" is not a layer of a Linux image`, where);
  return blobOf(layer, where);
}

function blobOf(blob: z.infer<typeof blobShape>, where: string): ImageBlob {
  return { mediaType: blob.mediaType, digest: plainDigest(blob.digest, where), size: blob.size };
}

function platformName(platform: z.infer<typeof platformShape> | undefined): string | null {
  if (platform === undefined) return null;
  const variant = platform.variant === undefined || platform.variant === "" ? "" : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/** What the bytes say they are goes before what came with them; a contradiction between the two is an attack or a fault. */
function declaredType(value: unknown, declared: string | null, where: string): string {
  const body = value as { schemaVersion?: unknown; mediaType?: unknown; manifests?: unknown; layers?: unknown } | null;
  const header = declared === null ? null : (declared.split(";")[0] ?? "").trim();
  if (body?.schemaVersion === 1 || header?.includes("docker.distribution.manifest.v1+") === true) {
    const hint = "push the image again with a docker of this decade, or name another tag";
    throw refuse("its manifest is of schema 1, whose layers nobody can check", where, hint);
  }
  if (body?.manifests !== undefined && body.layers !== undefined) {
    throw refuse("it claims to be an index and a manifest at once", where);
  }
  const inside = typeof body?.mediaType === "string" ? body.mediaType : null;
  const known = [...indexTypes, ...manifestTypes];
  const outside = header !== null && known.includes(header) ? header : null;
  if (inside !== null && outside !== null && inside !== outside) {
    throw refuse(`it came as "${outside}" and calls itself "${inside}"`, where);
  }
  const guess = body?.manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  return inside ?? outside ?? guess;
}

function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ExpectedError("FORMAT_INVALID", "what came is not JSON", { where, cause });
  }
}

function check<T>(shape: z.ZodType<T>, value: unknown, where: string): T {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw refuse(problems.slice(0, 3).join("; "), where);
}

function refuse(why: string, where: string, hint?: string): ExpectedError {
  return new ExpectedError("FORMAT_INVALID", `this image is refused: ${why}`, { where, hint });
}
