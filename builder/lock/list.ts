/** Everything that a cluster takes from outside, for people who fetch it by hand. Pure; nothing is asked of a network. */
import { posix } from "node:path";
import type { Platform } from "#bundle";
import type { ClusterConfig } from "../config/cluster.ts";
import type { ReleaseManifest } from "../config/release.ts";
import { imageFolder } from "../config/image-name.ts";
import type { Lock } from "./lock.ts";
import { neededComponents, neededImages } from "./needed.ts";

export interface WantedItem {
  readonly kind: "artifact" | "checksums" | "signature" | "keys" | "image" | "package";
  /** `etcd 3.6.14 linux/amd64` */
  readonly what: string;
  /** A URL, an image's name, `apt:NAME=VERSION`, `file:…`. */
  readonly from: string;
  /** Further places for the same bytes. */
  readonly mirrors: readonly string[];
  /** Published; null: the lock will take it from upstream's list, or nobody published one. */
  readonly digest: string | null;
  /** Bytes, where somebody said it. */
  readonly size: number | null;
  /** Where `lock --from DIR` looks for it, below DIR. */
  readonly path: string;
}

/** By the lock where there is one, otherwise by the release: then digests that upstream lists are not known yet. */
export function wantedItems(
  { cluster, manifest }: { readonly cluster: ClusterConfig; readonly manifest: ReleaseManifest },
  lock: Lock | null,
): WantedItem[] {
  const items = lock === null ? ofRelease(cluster, manifest) : ofLock(lock);
  return items.filter(
    (item, index) => items.findIndex(({ from, path }) => from === item.from && path === item.path) === index,
  );
}

function ofLock({ artifacts, images, packages }: Lock): WantedItem[] {
  return [
    ...artifacts.map(({ component, version, platform, resolved, mirrors, digest, size }) =>
      artifactItem({ what: `${component} ${version} ${platform}`, from: resolved, mirrors, digest, size }),
    ),
    ...images.map(({ name, platform, resolved, from }) => imageItem(name, platform, from, resolved)),
    ...packages.map(({ name, version, architecture, resolved, digest, size }): WantedItem => {
      const what = `${name} ${version} ${architecture}`;
      const file = `${name}_${version.replace(":", "%3a")}_${architecture}.deb`;
      const path = resolved.startsWith("apt:") ? file : pathOf(resolved);
      return { kind: "package", what, from: resolved, mirrors: [], digest, size, path };
    }),
  ];
}

function ofRelease(cluster: ClusterConfig, manifest: ReleaseManifest): WantedItem[] {
  const artifacts = neededComponents(cluster, manifest).flatMap(({ name, version = "", artifacts: all }) =>
    all
      .filter(({ platform }) => cluster.platforms.includes(platform))
      .flatMap(({ platform, from, mirrors, digest, checksum, published, signature }): WantedItem[] => {
        const what = [name, version, platform].filter((word) => word !== "").join(" ");
        const list = signature !== undefined ? (checksum ?? published) : digest === undefined ? checksum : undefined;
        return [
          artifactItem({ what, from, mirrors, digest: digest ?? null, size: null }),
          ...beside("checksums", what, list),
          ...beside("signature", what, signature?.from),
          ...beside("keys", what, signature && manifest.signers?.[signature.by]?.keys),
        ];
      }),
  );
  const images = cluster.platforms.flatMap((platform) =>
    neededImages(cluster, manifest, platform).map(({ name, digest, from }) =>
      imageItem(name, platform, from, digest ?? null),
    ),
  );
  const packages = cluster.packages.flatMap(({ distribution, names }) =>
    names.map((name): WantedItem => {
      const what = `${name} of ${distribution}, with what it depends on`;
      return { kind: "package", what, from: `apt:${name}`, mirrors: [], digest: null, size: null, path: "" };
    }),
  );
  return [...artifacts, ...images, ...packages];
}

/** What upstream publishes about an artifact. */
function beside(kind: "checksums" | "signature" | "keys", what: string, from: string | undefined): WantedItem[] {
  if (from === undefined) return [];
  return [{ ...artifactItem({ what: `${kind} of ${what}`, from, mirrors: [], digest: null, size: null }), kind }];
}

function artifactItem(item: Omit<WantedItem, "kind" | "path">): WantedItem {
  return { kind: "artifact", ...item, path: pathOf(item.from) };
}

function imageItem(name: string, platform: Platform, from: string | undefined, digest: string | null): WantedItem {
  const path = from === undefined ? imageFolder(name) : "";
  return { kind: "image", what: `${name} ${platform}`, from: from ?? name, mirrors: [], digest, size: null, path };
}

/** `dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet` for a URL; empty for what is already a file. */
function pathOf(from: string): string {
  if (!/^https?:/.test(from)) return "";
  const { host, pathname } = new URL(from);
  return posix.join(host, decodeURIComponent(pathname));
}

/** One line each: place, size, digest, what it is. */
export function listText(items: readonly WantedItem[]): string[] {
  return items.map(({ from, size, digest, what }) =>
    [from, size === null ? "-" : String(size), digest ?? "-", `# ${what}`].join("  "),
  );
}

/** For `aria2c -d DIR -i FILE`; what is not fetched by URL stands in comments. */
export function listAria2(items: readonly WantedItem[]): string[] {
  return items.flatMap(({ kind, from, mirrors, digest, path, what }) => {
    if (kind === "image") return [];
    if (!/^https?:/.test(from)) return [`# ${from}  ${what}`];
    const [, algorithm, hex] = /^(sha256|sha512):(\w+)$/.exec(digest ?? "") ?? [];
    return [
      [from, ...mirrors.filter((mirror) => /^https?:/.test(mirror))].join("\t"),
      `  out=${path}`,
      ...(hex === undefined ? [] : [`  checksum=${algorithm === "sha256" ? "sha-256" : "sha-512"}=${hex}`]),
    ];
  });
}

/** For `xargs -L 1 skopeo < FILE` in DIR: every image with all of its platforms, as its registry has it. */
export function listSkopeo(items: readonly WantedItem[]): string[] {
  const images = items.filter(({ kind, path }) => kind === "image" && path !== "");
  return [...new Set(images.map(({ from, path }) => `copy --all docker://${from} dir:${path}`))];
}
