/** The container images that a cluster needs: pinned for its lock, and brought into the store. */
import { join } from "node:path";
import type { Role } from "#bundle";
import type { Reporter } from "#cli/reporter";
import type { ClusterConfig } from "../../config/cluster.ts";
import type { ReleaseManifest } from "../../config/release.ts";
import type { Lock, LockedImage } from "../../lock/lock.ts";
import { neededImages } from "../../lock/needed.ts";
import { HttpClient, type HttpSettings } from "../../http/client.ts";
import { imageFolder } from "../../config/image-name.ts";
import type { Store } from "../../store/store.ts";
import { type ImageOptions, type PulledImage, pullImage, resolveImage } from "./pull.ts";
import { forEachOf } from "../../together.ts";

export interface ImagesOptions {
  readonly http: HttpSettings;
  /** Base URLs to ask instead of a registry's own, by its domain. */
  readonly registries: Readonly<Record<string, readonly string[]>>;
  readonly offline: boolean;
  readonly store: Store;
  /** `--from DIR`: images are taken from there, each in the folder that {@link imageFolder} names. */
  readonly folder?: string | undefined;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** One entry for each image and platform. NOT_FOUND, PLATFORM_MISMATCH and codes of exit 4 and 5. */
export async function lockImages(
  cluster: ClusterConfig,
  manifest: ReleaseManifest,
  options: ImagesOptions,
): Promise<LockedImage[]> {
  const wanted = cluster.platforms.flatMap((platform) => neededImages(cluster, manifest, platform));
  return withRegistries(options, wanted, async ({ name, platform, digest, from }, registry) => {
    const source = { ...registry, ...sourceOf(name, from, options.folder) };
    const locked = await resolveImage(name, platform, { ...source, ...(digest !== undefined && { pinned: digest }) });
    if (locked.pinnedBy === "mirror") {
      options.reporter.warn(
        `${name} is what a mirror says: its registry could not be asked, and the lock says pinned by mirror`,
      );
    }
    // The folder of --from is of this once: later builds have the bytes in their store.
    const { from: _, ...rest } = locked;
    return from === undefined ? rest : locked;
  });
}

export interface FetchedImage {
  readonly locked: LockedImage;
  readonly pulled: PulledImage;
  readonly roles: readonly Role[];
}

/** The images of a lock, whole in the store. OFFLINE names one that is not. */
export async function fetchImages(
  lock: Lock,
  { cluster, manifest }: { readonly cluster: ClusterConfig; readonly manifest: ReleaseManifest },
  options: ImagesOptions,
): Promise<FetchedImage[]> {
  const needed = cluster.platforms.flatMap((platform) => neededImages(cluster, manifest, platform));
  return withRegistries(options, lock.images, async (locked, registry) => {
    const roles = needed.find(({ name, platform }) => name === locked.name && platform === locked.platform)?.roles;
    const source = { ...registry, ...sourceOf(locked.name, locked.from, options.folder) };
    return { locked, pulled: await pullImage(locked, source), roles: roles ?? [] };
  });
}

function sourceOf(name: string, from: string | undefined, folder: string | undefined): { from?: string } {
  if (from !== undefined) return { from };
  return folder === undefined ? {} : { from: `dir:${join(folder, imageFolder(name))}` };
}

/** A few at a time, over connections that are closed in the end. */
async function withRegistries<Item, Result>(
  { http, store, registries, offline, signal }: ImagesOptions,
  items: readonly Item[],
  work: (item: Item, options: ImageOptions) => Promise<Result>,
): Promise<Result[]> {
  await using client = new HttpClient(http, signal);
  const options: ImageOptions = { http: client, store, mirrors: registries, offline };
  return await forEachOf(items, 3, (item) => work(item, options));
}
