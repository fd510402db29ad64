/** What `kubeferry releases` tells: every release with its components, versions, platforms, and who pinned what. */
import { type Platform, platforms, type Role } from "#bundle";
import type { Artifact, Component } from "./release.ts";
import { listReleases, loadRelease } from "./releases.ts";

/** Who vouches for an artifact: the manifest, upstream's checksum file, the distribution's index, or nobody yet. */
export type PinSource = "release" | "upstream" | "distribution" | "missing" | "unavailable";

export interface ComponentSummary {
  readonly name: string;
  /** Null where the distribution decides. */
  readonly version: string | null;
  readonly roles: readonly Role[];
  /** Settings that ask for it, `runtime=docker`; empty: always there. */
  readonly when: string;
  /** The weakest pin of the platform's artifacts. */
  readonly pinned: Readonly<Record<Platform, PinSource>>;
  readonly alternatives: readonly string[];
}

export interface ReleaseSummary {
  readonly release: string;
  readonly description: string;
  readonly kubernetes: string | null;
  readonly components: readonly ComponentSummary[];
  readonly images: readonly { readonly name: string; readonly for: string; readonly pinned: "release" | "registry" }[];
  /** Platforms for which every component that is always there has a pin. */
  readonly platforms: readonly Platform[];
}

/** Each of the releases, by name or path: by default every one that comes with Kubeferry. Throws what {@link loadRelease} throws. */
export async function releaseSummaries(names: readonly string[] = listReleases()): Promise<ReleaseSummary[]> {
  return Promise.all(names.map((name) => releaseSummary(name)));
}

/** One release, by name or path. */
async function releaseSummary(nameOrPath: string): Promise<ReleaseSummary> {
  const { manifest } = await loadRelease(nameOrPath);
  const components = manifest.components.map(summary);
  return {
    release: manifest.release,
    description: manifest.description,
    kubernetes: manifest.kubernetes,
    components,
    images: manifest.images.map((image) => ({
      name: image.name,
      for: image.for,
      pinned: image.digest === undefined ? "registry" : "release",
    })),
    platforms: platforms.filter((platform) =>
      components.every(({ when, pinned }) => when !== "" || !["missing", "unavailable"].includes(pinned[platform])),
    ),
  };
}

/** The lines that people read. */
export function describeRelease(release: ReleaseSummary): string[] {
  const rows = release.components.map(({ name, version, pinned, when }) => [
    `  ${name}`,
    version ?? "-",
    ...platforms.map((platform) => pinned[platform]),
    when,
  ]);
  const table = [["  component", "version", ...platforms, "only with"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length))) ?? [];
  return [
    `${release.release}  ${release.description}`,
    ...table.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
    ...release.images.map(({ name, pinned }) => `  image ${name} (digest from the ${pinned})`),
  ];
}

function summary({
  name,
  version,
  roles,
  when = {},
  artifacts,
  unavailable,
  alternatives,
}: Component): ComponentSummary {
  const pin = (platform: Platform): PinSource => {
    if (unavailable[platform] !== undefined) return "unavailable";
    const pins = artifacts.filter((artifact) => artifact.platform === platform).map(pinOf);
    return weakest.find((source) => pins.includes(source)) ?? "unavailable";
  };
  return {
    name,
    version: version ?? null,
    roles,
    when: Object.entries(when)
      .map(([setting, value]) => `${setting}=${value}`)
      .join(" "),
    pinned: { "linux/amd64": pin("linux/amd64"), "linux/arm64": pin("linux/arm64") },
    alternatives: Object.keys(alternatives),
  };
}

const weakest = ["missing", "upstream", "distribution", "release"] as const;

function pinOf({ from, digest, checksum }: Artifact): PinSource {
  if (digest !== undefined) return "release";
  if (from.startsWith("apt:")) return "distribution";
  return checksum === undefined ? "missing" : "upstream";
}
