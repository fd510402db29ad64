/** An image's bytes from a directory as `skopeo copy --all docker://NAME dir:DIRECTORY` makes it: the registry's very bytes. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { readAtMost } from "../../http/read.ts";
import { largestManifest, plainDigest } from "./manifest.ts";
import type { ImageSource } from "./image-source.ts";

/** manifest.json is what the tag stands for; manifests of single platforms are beside it under their digests. */
export function createDirectorySource(directory: string, name: string): ImageSource {
  const where = `${name} in dir:${directory}`;
  return {
    where,
    async manifest(asked) {
      const top = await readSmall(join(directory, "manifest.json"), where);
      if (!asked.startsWith("sha256:")) return { bytes: top, mediaType: null };
      const hex = plainDigest(asked, where);
      if (digestOf(top) === hex) return { bytes: top, mediaType: null };
      return { bytes: await readSmall(join(directory, `${hex}.manifest.json`), where), mediaType: null };
    },
    async *blob(blob) {
      const path = join(directory, blob.digest);
      await requireFile(path, where);
      yield* createReadStream(path);
    },
  };
}

async function readSmall(path: string, where: string): Promise<Buffer> {
  await requireFile(path, where);
  const bytes = await readAtMost(createReadStream(path), largestManifest);
  if (bytes !== null) return bytes;
  throw new ExpectedError("TOO_LARGE", `${path} is larger than a manifest may be`, { where });
}

async function requireFile(path: string, where: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isFile() === true) return;
  throw new ExpectedError("NOT_FOUND", "a file of the image is not there", {
    where,
    expected: path,
    found: "nothing",
    hint: "kubeferry lock --list --format skopeo says how to bring it",
  });
}
