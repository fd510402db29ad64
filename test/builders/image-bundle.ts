/** A small bundle with container images of a test's own, packed as `kubeferry build` packs them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageEntry, Platform } from "#bundle";
import { HttpClient } from "../../builder/http/client.ts";
import { type ImageToPack, packImages } from "../../builder/pack/images.ts";
import { pullImage, resolveImage } from "../../builder/sources/oci/pull.ts";
import { Store } from "../../builder/store/store.ts";
import { type LayoutImage, writeLayout } from "./image-layout.ts";
import { writeNodeBundle } from "./node-bundle.ts";

export interface ImageBundle {
  readonly path: string;
  /** As the index has them. */
  readonly images: readonly ImageEntry[];
}

/** At `folder/images.tar`; layers by an image's full name, the same on every platform but for a file with its name. */
export async function writeImageBundle(
  folder: string,
  images: Readonly<Record<string, LayoutImage["layers"]>>,
  platforms: readonly Platform[] = ["linux/amd64"],
): Promise<ImageBundle> {
  const store = await Store.open(join(folder, "store"));
  await using http = new HttpClient();
  const packed: ImageToPack[] = [];
  for (const [place, [name, layers]] of Object.entries(images).entries()) {
    const layout = join(folder, `layout-${place}`);
    const variants = platforms.map((platform) => ({ platform, layers: [...layers, { platform }] }));
    writeLayout(layout, "1", variants);
    for (const platform of platforms) {
      const locked = await resolveImage(name, platform, { http, store, from: `oci:${layout}:1` });
      packed.push({ locked, pulled: await pullImage(locked, { http, store }), roles: ["worker"] });
    }
  }
  const { entries, files } = await packImages(packed, store);
  const contents = files.map(({ path, content }) => {
    if (typeof content === "string") throw new Error(`${path} is no archive`);
    return { path, mode: "0600", content: readFileSync(store.path(content.digest)) };
  });
  const path = await writeNodeBundle(join(folder, "images.tar"), {
    files: contents,
    edit: (index) => index.images.push(...entries),
  });
  return { path, images: entries };
}
