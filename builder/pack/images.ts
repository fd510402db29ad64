/**
 * Container images as files of a bundle: one OCI layout archive for each image and platform, which
 * `ctr -n k8s.io images import` and `docker load` both take.
 *
 * containerd goes by oci-layout and index.json, older docker by manifest.json; the blobs are the registry's own bytes,
 * so that the digest in the runtime is the one in the lock.
 */
import { Readable } from "node:stream";
import { createReadStream } from "node:fs";
import { type Digest, encodeHeader, type ImageEntry, paddingOf, type Role } from "#bundle";
import { type ImageBlob, mediaTypes } from "../sources/oci/manifest.ts";
import type { Store } from "../store/store.ts";
import type { PulledImage } from "../sources/oci/pull.ts";
import { parseReference } from "../config/image-name.ts";
import type { LockedImage } from "../lock/lock.ts";
import type { NodeFile } from "../render/node-file.ts";

/** Where image archives lie on a node until the transaction is undone. */
export const imageFolder = "/var/lib/kubeferry/images";

/** An image that is in the store, and who gets it. */
export interface ImageToPack {
  readonly locked: LockedImage;
  readonly pulled: PulledImage;
  readonly roles: readonly Role[];
}

export interface PackedImages {
  readonly entries: ImageEntry[];
  readonly files: NodeFile[];
}

/** Writes each image's archive into the store and says what goes into the index and onto the nodes. */
export async function packImages(images: readonly ImageToPack[], store: Store): Promise<PackedImages> {
  const entries: ImageEntry[] = [];
  const files: NodeFile[] = [];
  for (const { locked, pulled, roles } of images) {
    const content = await writeImageArchive([pulled], store);
    const path = `${imageFolder}/${archiveName(pulled)}`;
    const selector = { roles: [...roles], platforms: [pulled.platform] };
    entries.push({
      name: pulled.name,
      digest: `sha256:${pulled.manifest.digest}`,
      config: `sha256:${pulled.config.digest}`,
      path,
      for: selector,
    });
    files.push({
      path,
      mode: "0600",
      owner: "0:0",
      content,
      sensitive: false,
      for: selector,
      origin: {
        from: "artifact",
        url: locked.from ?? `docker://${pulled.name}`,
        digest: locked.resolved,
        pinnedBy: locked.pinnedBy,
      },
    });
  }
  return { entries, files };
}

/** Writes one archive of images into the store; equal images give equal bytes, and a layer that two share is in it once. */
export async function writeImageArchive(
  images: readonly PulledImage[],
  store: Store,
): Promise<{ digest: Digest; size: number }> {
  return await store.put(archive(images, store));
}

async function* archive(images: readonly PulledImage[], store: Store): AsyncGenerator<Uint8Array> {
  yield* member("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield* member("index.json", Buffer.from(JSON.stringify(layoutIndex(images))));
  yield* member("manifest.json", Buffer.from(JSON.stringify(images.map(dockerEntry))));
  const blobs = new Map<Digest, ImageBlob>();
  for (const image of images) {
    for (const blob of [image.manifest, image.config, ...image.layers]) blobs.set(blob.digest, blob);
  }
  for (const [digest, { size }] of [...blobs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    yield encodeHeader(blobPath(digest), size, 0o644);
    yield* createReadStream(store.path(digest), { highWaterMark: 1024 * 1024 });
    yield Buffer.alloc(paddingOf(size));
  }
  yield Buffer.alloc(1024);
}

async function* member(path: string, content: Buffer): AsyncGenerator<Uint8Array> {
  yield encodeHeader(path, content.length, 0o644);
  yield* Readable.from([content]);
  yield Buffer.alloc(paddingOf(content.length));
}

function layoutIndex(images: readonly PulledImage[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.map(({ name, platform, manifest }) => {
      const [os, architecture] = platform.split("/");
      return {
        mediaType: manifest.mediaType,
        digest: `sha256:${manifest.digest}`,
        size: manifest.size,
        platform: { architecture, os },
        annotations: {
          "io.containerd.image.name": name,
          "org.opencontainers.image.ref.name": parseReference(name).tag ?? name,
        },
      };
    }),
  };
}

/** docker takes no name with a digest as a tag: such an image is loaded without one and known by its id. */
function dockerEntry({ name, config, layers }: PulledImage): unknown {
  return {
    Config: blobPath(config.digest),
    RepoTags: name.includes("@") ? [] : [name],
    Layers: layers.map((layer) => blobPath(layer.digest)),
  };
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${digest}`;
}

/** `pause-3.10.2-0123456789ab.tar` */
function archiveName({ name, manifest }: PulledImage): string {
  const { repository, tag } = parseReference(name);
  const last = repository.slice(repository.lastIndexOf("/") + 1);
  return `${[last, tag, manifest.digest.slice(0, 12)].filter((part) => part !== null).join("-")}.tar`;
}
