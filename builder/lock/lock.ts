/**
 * `cluster.lock`: what `lock` resolved, so that every later build takes the same bytes.
 * A digest here is what every later step compares with; a mirror never changes it.
 */
import * as z from "zod";
import { platforms, provenance } from "#bundle";
import { publishedDigest } from "../config/release.ts";

const lockedArtifact = z.strictObject({
  component: z.string(),
  version: z.string(),
  platform: z.enum(platforms),
  /** As the release manifest wrote it. */
  from: z.string(),
  /** Exactly what is fetched: a URL, or `apt:etcd-server=3.4.23-4+b4` (never the name of a distribution's mirror). */
  resolved: z.string(),
  /** Further places for the same bytes. */
  mirrors: z.array(z.string()),
  digest: publishedDigest,
  /** Bytes; null where nobody published it before the first download. */
  size: z.int().nonnegative().nullable(),
  pinnedBy: z.enum(["release", "upstream", "mirror", "distribution", "operator", "first-use"]),
  ...provenance,
  files: z.record(z.string(), z.string()),
});

const lockedImage = z.strictObject({
  name: z.string(),
  platform: z.enum(platforms),
  /** Digest of the platform's manifest. */
  digest: z.string(),
  /** Digest that the tag pointed at (an index, or the same manifest). */
  resolved: z.string(),
  pinnedBy: z.enum(["release", "upstream", "mirror", "operator", "first-use"]),
  /** Taken from here instead of a registry: `oci:DIRECTORY[:TAG]` or `docker-archive:FILE`. */
  from: z.string().optional(),
});

const lockedPackage = z.strictObject({
  name: z.string(),
  version: z.string(),
  architecture: z.string(),
  format: z.enum(["deb", "rpm"]),
  distribution: z.string(),
  resolved: z.string(),
  digest: publishedDigest,
  size: z.int().nonnegative(),
  /** Named in cluster.yaml, or drawn in as a dependency. */
  wanted: z.boolean(),
});

/** What `packages:` of cluster.yaml asked for when it was resolved; the packages themselves do not tell. */
const packageRequest = z.strictObject({
  distribution: z.string(),
  names: z.array(z.string()),
  /** `https://mirror.example/debian bookworm main`, in the order of cluster.yaml; empty: this machine's own apt sources. */
  repositories: z.array(z.string()),
  /** `sha256:…` of the file that `base:` names. */
  base: publishedDigest.optional(),
});

export const lockSchema = z.strictObject({
  version: z.literal(1),
  release: z.string(),
  /** Digest of the release manifest's bytes that were resolved. */
  manifest: z.string(),
  platforms: z.array(z.enum(platforms)),
  /** The day, `2026-11-21`. */
  locked: z.string(),
  artifacts: z.array(lockedArtifact),
  images: z.array(lockedImage).default([]),
  packages: z.array(lockedPackage).default([]),
  requests: z.array(packageRequest).default([]),
});

export type Lock = z.infer<typeof lockSchema>;
export type LockedArtifact = z.infer<typeof lockedArtifact>;
export type SignedBy = NonNullable<LockedArtifact["signedBy"]>;
export type LockedImage = z.infer<typeof lockedImage>;
export type LockedPackage = z.infer<typeof lockedPackage>;
export type PackageAsked = z.infer<typeof packageRequest>;
