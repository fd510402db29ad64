/** Where an image's bytes can be had: a registry, an OCI layout, a docker archive. None of them is trusted. */
import { stat } from "node:fs/promises";
import { ExpectedError } from "#cli/errors";
import { readAtMost } from "../../http/read.ts";
import { type Opened, openedFile, type Source } from "../source.ts";
import { type ImageBlob, largestManifest } from "./manifest.ts";

/** Bytes of a manifest or index as they came, and the media type that came with them (null: none did). */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string | null;
}

/** What is resolved is a tag, or `sha256:<hex>`; what is opened is a blob of an image. */
export interface ImageSource extends Source<string, RawManifest, ImageBlob> {
  /** For messages: `registry.k8s.io/pause`, `oci:images/pause`. */
  readonly where: string;
}

/** A file of an image that somebody else put here; NOT_FOUND when it is not there. */
export async function imageFile(path: string, where: string): Promise<Opened> {
  if ((await stat(path).catch(() => null))?.isFile() === true) return openedFile(where, path);
  throw new ExpectedError("NOT_FOUND", "a file of the image is not there", {
    where,
    expected: path,
    found: "nothing",
    hint: "kubeferry lock --list --format skopeo says how to bring it",
  });
}

/** A manifest, index or configuration from such a file. */
export async function readImageFile(path: string, where: string): Promise<Buffer> {
  const bytes = await readAtMost((await imageFile(path, where)).bytes, largestManifest);
  if (bytes !== null) return bytes;
  throw new ExpectedError("TOO_LARGE", `${path} is larger than a manifest may be`, { where });
}
