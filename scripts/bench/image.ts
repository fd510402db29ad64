/** One image with a large layer, out of an OCI layout and verified, against skopeo doing the same. */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestFile } from "#bundle";
import { requirePackages } from "../../test/programs/packages.ts";
import { type Comparison, timed } from "./compare.ts";
import { type Material, shell } from "./material.ts";
import { folder, fresh, ours } from "./runs.ts";

export function imaging(given: Material): Comparison[] {
  requirePackages("skopeo");
  const layout = join(folder, "layout");
  writeLargeLayout(layout, join(given.dir, "all.tar.gz"));
  const store = join(folder, "image-store");
  const there = join(folder, "there");
  return [
    {
      name: "image",
      goal: 0.35,
      ours: { name: "kubeferry", prepare: () => fresh(store), run: () => ours("image", layout, store) },
      theirs: [
        {
          name: "skopeo copy oci:A oci:B; sync -f",
          prepare: () => fresh(there),
          run: () => timed(() => shell(`skopeo copy -q oci:${layout}:large oci:copy:large; sync -f copy`, there)),
        },
      ],
    },
  ];
}

/** A layout whose one layer is this archive. */
function writeLargeLayout(layout: string, archive: string): void {
  rmSync(layout, { recursive: true, force: true });
  const blobs = join(layout, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, value: unknown): object => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const { digest, size } = digestFile(archive);
  linkSync(archive, join(blobs, digest));
  const kind = "application/vnd.oci.image";
  const config = put(`${kind}.config.v1+json`, {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  });
  const layers = [{ mediaType: `${kind}.layer.v1.tar+gzip`, digest: `sha256:${digest}`, size }];
  const manifest = put(`${kind}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${kind}.manifest.v1+json`,
    config,
    layers,
  });
  const annotations = { "org.opencontainers.image.ref.name": "large" };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(layout, "index.json"), JSON.stringify(index));
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}
