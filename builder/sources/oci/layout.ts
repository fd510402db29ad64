/** An image's bytes from a directory in the OCI image layout, as `skopeo copy … oci:DIR` makes it. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { decodeManifest, type ImageIndex, plainDigest } from "./manifest.ts";
import { imageFile, type ImageSource, type RawManifest, readImageFile } from "./image-source.ts";
import { nameInRuntime, parseReference } from "../../config/image-name.ts";

const nameKeys = ["io.containerd.image.name", "org.opencontainers.image.ref.name"] as const;

/** The layout at `place` (`DIR` or `DIR:TAG`). Without a tag the entry is taken that bears the image's name, or the only one. */
export function createLayoutSource(place: string, name: string): ImageSource {
  const where = `oci:${place}`;
  const blobPath = (directory: string, digest: string): string => join(directory, "blobs", "sha256", digest);

  return {
    where,
    async resolve(asked) {
      const { directory, tag } = await locate(place, where);
      if (asked.startsWith("sha256:"))
        return await readBlob(blobPath(directory, plainDigest(asked, where)), null, where);
      const bytes = await readImageFile(join(directory, "index.json"), where);
      const index = decodeManifest(bytes, null, `${where}/index.json`);
      if (index.kind !== "index") throw new ExpectedError("FORMAT_INVALID", "its index.json is no index", { where });
      const chosen = choose(index, bytes, tag, name, where);
      // An index whose entries have no names is itself the image's index.
      if (chosen === null) return { bytes, mediaType: index.mediaType };
      const raw = await readBlob(blobPath(directory, chosen.digest), chosen.mediaType, where);
      if (digestOf(raw.bytes) !== chosen.digest) {
        throw new ExpectedError("DIGEST_MISMATCH", "a blob of the layout is not what its name says", {
          where: blobPath(directory, chosen.digest),
          expected: chosen.digest,
          found: digestOf(raw.bytes),
        });
      }
      return raw;
    },
    async open({ digest }, take) {
      const { directory } = await locate(place, where);
      return await take(await imageFile(blobPath(directory, digest), where));
    },
  };
}

type Entry = ImageIndex["entries"][number];

function choose(index: ImageIndex, bytes: Uint8Array, tag: string | null, name: string, where: string): Entry | null {
  const raw = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    manifests: { annotations?: Record<string, unknown> }[];
  };
  const named = index.entries.map((entry, at) => {
    const annotations = raw.manifests[at]?.annotations ?? {};
    return { entry, names: nameKeys.map((key) => annotations[key]).filter((value) => typeof value === "string") };
  });
  const wanted = tag === null ? [nameInRuntime(name), parseReference(name).tag ?? "", name] : [tag];
  const found = named.filter(({ names }) => names.some((text) => wanted.includes(text)));
  if (found[0] !== undefined) return found[0].entry;
  if (tag === null && named.length === 1 && named[0] !== undefined) return named[0].entry;
  if (tag === null && named.every(({ names }) => names.length === 0) && named.length > 0) return null;
  throw new ExpectedError("NOT_FOUND", `the layout has no image ${tag ?? name}`, {
    where,
    expected: wanted.filter((text) => text !== "").join(" or "),
    found: named.flatMap(({ names }) => names).join(", ") || "no named image",
    hint: "name it as oci:DIRECTORY:TAG",
  });
}

async function locate(place: string, where: string): Promise<{ directory: string; tag: string | null }> {
  const colon = place.lastIndexOf(":");
  const candidates = [
    { directory: place, tag: null },
    ...(colon > 0 ? [{ directory: place.slice(0, colon), tag: place.slice(colon + 1) }] : []),
  ];
  for (const candidate of candidates) {
    const found = await stat(join(candidate.directory, "oci-layout")).catch(() => null);
    if (found?.isFile() === true) return candidate;
  }
  throw new ExpectedError("NOT_FOUND", "there is no OCI layout here (a directory with oci-layout and index.json)", {
    where,
  });
}

async function readBlob(path: string, mediaType: string | null, where: string): Promise<RawManifest> {
  return { bytes: await readImageFile(path, where), mediaType };
}
