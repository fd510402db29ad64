/** Tiny container images in the OCI image layout, for platforms and layers that a test chooses. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { digestOf } from "#bundle";
import { tarBytes } from "../../installer/bundle/writer.ts";

export interface LayoutImage {
  /** `linux/amd64`, `linux/arm/v7` */
  readonly platform: string;
  /** One layer for each: path in the image → text or bytes. */
  readonly layers: readonly Readonly<Record<string, string | Buffer>>[];
  /** Default: `/hello`. */
  readonly entrypoint?: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes an image of several platforms at `folder` under `tag`, and gives the digest of its index (`sha256:…`). */
export function writeLayout(folder: string, tag: string, images: readonly LayoutImage[]): string {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const put = (bytes: Buffer, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    writeFileSync(join(folder, "blobs/sha256", digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

  const manifests = images.map(({ platform, layers, entrypoint = ["/hello"] }) => {
    const [os, architecture, variant] = platform.split("/");
    const tars = layers.map((files) =>
      tarBytes(Object.entries(files).map(([path, bytes]) => ({ path, mode: 0o755, content: Buffer.from(bytes) }))),
    );
    const config = put(
      json({
        architecture,
        os,
        config: { Entrypoint: entrypoint },
        rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${digestOf(tar)}`) },
      }),
      "application/vnd.oci.image.config.v1+json",
    );
    const packed = tars.map((tar) => put(gzipSync(tar), "application/vnd.oci.image.layer.v1.tar+gzip"));
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = put(json({ schemaVersion: 2, mediaType, config, layers: packed }), mediaType);
    return { ...manifest, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
  });
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const index = put(json({ schemaVersion: 2, mediaType, manifests }), mediaType);
  const annotations = { "org.opencontainers.image.ref.name": tag };
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, "index.json"),
    json({ schemaVersion: 2, mediaType, manifests: [{ ...index, annotations }] }),
  );
  return index.digest;
}
