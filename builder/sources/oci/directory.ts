/** An image's bytes from a directory as `skopeo copy --all docker://NAME dir:DIRECTORY` makes it: the registry's very bytes. */
import { join } from "node:path";
import { digestOf } from "#bundle";
import { imageFile, type ImageSource, readImageFile } from "./image-source.ts";
import { plainDigest } from "./manifest.ts";

/** manifest.json is what the tag stands for; manifests of single platforms are beside it under their digests. */
export function createDirectorySource(directory: string, name: string): ImageSource {
  const where = `${name} in dir:${directory}`;
  return {
    where,
    async resolve(asked) {
      const top = await readImageFile(join(directory, "manifest.json"), where);
      const hex = asked.startsWith("sha256:") ? plainDigest(asked, where) : digestOf(top);
      if (digestOf(top) === hex) return { bytes: top, mediaType: null };
      return { bytes: await readImageFile(join(directory, `${hex}.manifest.json`), where), mediaType: null };
    },
    open: async ({ digest }, take) => await take(await imageFile(join(directory, digest), where)),
  };
}
