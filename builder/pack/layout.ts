/**
 * A bundle as an OCI artifact in an image layout, which skopeo and oras carry to and from registries: a layer for each member,
 * with its path as the title that oras gives files. A registry that has an older bundle gets only the blobs that are new.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import {
  type Bundle,
  type Digest,
  digestFile,
  digestOf,
  isCleanAbsolute,
  type TarMember,
  writeTar,
  writeBeside,
  writeNew,
  writeNewFolder,
} from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import { largestManifest, mediaTypes, plainDigest } from "../sources/oci/manifest.ts";
import { copyMember } from "./copy-member.ts";
import { inOrder, modeInTar, openVerified } from "./delta.ts";

const bundleType = "application/vnd.kubeferry.bundle.v1";
const memberType = "application/vnd.kubeferry.bundle.member.v1";
const emptyType = "application/vnd.oci.empty.v1+json";
const titleKey = "org.opencontainers.image.title";

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const indexShape = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptor) });
const manifestShape = z.object({ artifactType: z.string().optional(), layers: z.array(descriptor) });

/** Whether this is a folder in the OCI image layout. */
export function isLayout(path: string): boolean {
  return existsSync(join(path, "oci-layout"));
}

/**
 * Writes the layout of a verified bundle as a new folder; the same bundle gives the same bytes. Gives the digest of its
 * manifest. Secrets that are not sealed make it the owner's alone.
 */
export async function writeLayout(
  bundle: Bundle,
  output: string,
  progress: (done: number, total: number) => void = () => undefined,
): Promise<Digest> {
  const { index, source, sums } = bundle;
  const mode = index.secrets.every(({ sealed }) => sealed) ? 0o644 : 0o600;
  const members = inOrder(bundle).flatMap((path) => source.members.get(path) ?? []);
  const total = members.reduce((sum, { size }) => sum + size, 0);
  const layers = members.map((member) => ({
    mediaType: memberType,
    digest: `sha256:${sums.get(member.path) ?? digestFile(member.file, member.offset, member.size).digest}`,
    size: member.size,
    annotations: { [titleKey]: member.path },
  }));
  const config = Buffer.from("{}");
  const manifest = encode({
    mediaType: mediaTypes.ociManifest,
    artifactType: bundleType,
    config: descriptorOf(config, emptyType),
    layers,
    annotations: { "org.opencontainers.image.version": bundle.payloadDigest },
  });
  const entry = {
    ...descriptorOf(manifest, mediaTypes.ociManifest),
    annotations: { "org.opencontainers.image.ref.name": bundle.payloadDigest.slice(0, 12) },
  };
  await writeNewFolder(output, async (folder) => {
    const blob = (digest: string): string => join(folder, "blobs/sha256", digest.replace("sha256:", ""));
    await mkdir(join(folder, "blobs/sha256"), { recursive: true });
    const written = new Set<string>();
    let done = 0;
    for (const [place, member] of members.entries()) {
      const digest = layers[place]?.digest ?? "";
      if (!written.has(digest)) await copyMember(member, blob(digest), mode);
      written.add(digest);
      progress((done += member.size), total);
    }
    for (const bytes of [config, manifest]) await writeNew(blob(digestOf(bytes)), bytes, mode);
    await writeNew(join(folder, "index.json"), encode({ mediaType: mediaTypes.ociIndex, manifests: [entry] }), mode);
    await writeNew(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}', mode);
  });
  return digestOf(manifest);
}

/**
 * Writes the very tar that a layout was made of. FORMAT_INVALID where it holds no bundle, PATH_ESCAPES, DIGEST_MISMATCH and the
 * like where it is damaged; then nothing stays at `output`.
 */
export async function joinLayout(layout: string, output: string): Promise<void> {
  const blob = (digest: Digest): string => join(layout, "blobs/sha256", digest);
  const { manifests } = decode(indexShape, readBounded(join(layout, "index.json")), layout);
  const [only, ...more] = manifests;
  if (only === undefined || more.length > 0) {
    const details = { where: layout, expected: "1 artifact", found: `${manifests.length}` };
    throw new ExpectedError("FORMAT_INVALID", "one bundle is wanted of a layout", {
      ...details,
      hint: "skopeo copy it alone into another folder",
    });
  }
  const digest = plainDigest(only.digest, layout);
  const bytes = readBounded(blob(digest));
  if (digestOf(bytes) !== digest) {
    const details = { where: blob(digest), expected: digest, found: digestOf(bytes) };
    throw new ExpectedError("DIGEST_MISMATCH", "a blob of the layout is not what its name says", details);
  }
  const { artifactType, layers } = decode(manifestShape, bytes, blob(digest));
  if (artifactType !== bundleType) {
    const details = { where: layout, expected: bundleType, found: artifactType ?? "an image" };
    throw new ExpectedError("FORMAT_INVALID", "this layout holds no bundle", details);
  }
  const members = layers.map((layer): TarMember => {
    const path = layer.annotations?.[titleKey] ?? "";
    if (!isCleanAbsolute(`/${path}`)) {
      throw new ExpectedError("PATH_ESCAPES", `"${path}" is no path of a bundle's member`, { where: blob(digest) });
    }
    const own = plainDigest(layer.digest, layout);
    if (!existsSync(blob(own))) {
      const hint = "copy the layout again from where it came";
      throw new ExpectedError("MEMBER_MISSING", `the layout has no ${path}`, { where: blob(own), hint });
    }
    return { path, mode: modeInTar(path), file: blob(own), size: layer.size, digest: own };
  });
  await writeBeside(output, async (temporary) => {
    writeTar(temporary, members, undefined, statSync(join(layout, "index.json")).mode & 0o666);
    await openVerified(temporary);
  });
}

function descriptorOf(bytes: Buffer, mediaType: string): z.infer<typeof descriptor> {
  return { mediaType, digest: `sha256:${digestOf(bytes)}`, size: bytes.length };
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, ...value }));
}

function readBounded(path: string): Buffer {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new ExpectedError("MEMBER_MISSING", "the layout is not whole", { where: path });
  if (size <= largestManifest) return readFileSync(path);
  throw new ExpectedError("TOO_LARGE", `this is larger than ${largestManifest} bytes`, { where: path });
}

function decode<Value>(shape: z.ZodType<Value>, bytes: Buffer, where: string): Value {
  try {
    return shape.parse(JSON.parse(bytes.toString("utf8")));
  } catch (cause) {
    throw new ExpectedError("FORMAT_INVALID", `this is no OCI manifest: ${messageOf(cause)}`, { where, cause });
  }
}
