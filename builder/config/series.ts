/**
 * Releases that have no manifest of their own: `manifests/series/1.NN.yaml` says which manifest has what goes with a minor,
 * `manifests/pins/kubernetes.yaml` which patch releases there are, also of a minor that has a manifest of its own. A new patch
 * is one line, a new minor one file.
 */
import { parse } from "yaml";
import * as z from "zod";
import { platforms } from "#bundle";
import { listManifests, readManifest } from "./manifests.ts";
import { compareVersions } from "#formats/version";
import { type Artifact, type Component, publishedDigest, releaseComponent, type ReleaseManifest } from "./release.ts";

const series = z.strictObject({
  /** A release with a manifest of its own. */
  like: z.string(),
  /** Its first patch release, whose digests `lock` reads from upstream's checksum files; later ones are pins. */
  kubernetes: z
    .string()
    .regex(/^1\.\d+\.\d+$/)
    .optional(),
  /** Of its components' alternatives: those that are the usual ones here. */
  alternatives: z.array(z.string()).default([]),
  /** In place of those of that name. */
  components: z.array(releaseComponent).default([]),
});
type Series = z.infer<typeof series>;

const pin = z.strictObject({
  /** Where the digests were read: `owner/repository@commit:path`. */
  source: z.string().optional(),
  /** By platform and name of the binary; what is absent is read from upstream's checksum file by `lock`. */
  digests: z.partialRecord(z.enum(platforms), z.record(z.string(), publishedDigest)).default({}),
});
type Pin = z.infer<typeof pin>;

const pins = z.record(z.string().regex(/^1\.\d+\.\d+$/), pin);

export interface SeriesRelease {
  readonly series: Series;
  /** `1.33.13` */
  readonly version: string;
  readonly pin: Pin;
}

/** Minors with a series, `1.33`. */
export function listSeries(): string[] {
  return listManifests("series").flatMap((path) => /^series\/(1\.\d+)\.yaml$/.exec(path)?.[1] ?? []);
}

/**
 * `kubernetes-1.33` (its newest patch) or `kubernetes-1.33.12`; null where no series and pin has it. A minor without a series is
 * like the manifest that has its name.
 */
export function findSeries(name: string): SeriesRelease | null {
  const [, minor, patch] = /^kubernetes-(1\.\d+)(?:\.(\d+))?$/.exec(name) ?? [];
  const text = minor === undefined ? undefined : seriesText(minor);
  if (text === undefined) return null;
  const found = series.parse(parse(text));
  const first = found.kubernetes === undefined ? {} : { [found.kubernetes]: pin.parse({}) };
  const known = { ...first, ...pins.parse(parse(readManifest("pins/kubernetes.yaml") ?? "{}")) };
  const versions = Object.keys(known).filter((version) => version.startsWith(`${minor}.`));
  const version = patch === undefined ? versions.toSorted(compareVersions).at(-1) : `${minor}.${patch}`;
  const pinned = version === undefined ? undefined : known[version];
  return version === undefined || pinned === undefined ? null : { series: found, version, pin: pinned };
}

function seriesText(minor: string): string | undefined {
  const own = `kubernetes-${minor}`;
  const written = listManifests("releases").includes(`releases/${own}.yaml`) ? `like: ${own}` : undefined;
  return listSeries().includes(minor) ? readManifest(`series/${minor}.yaml`) : written;
}

/** The manifest of `like` with Kubernetes of another version in it. Pure. */
export function manifestOf(name: string, like: ReleaseManifest, release: SeriesRelease): ReleaseManifest {
  const { series, version } = release;
  const own = new Map(series.components.map((component) => [component.name, component]));
  const components = like.components.map(
    (component) => own.get(component.name) ?? usual(component, series.alternatives),
  );
  return {
    ...like,
    release: name,
    description: `Kubernetes ${version}, with all else as ${like.release} has it`,
    kubernetes: version,
    components: components.map((component) =>
      component.version === like.kubernetes ? renewed(component, like.kubernetes, release) : component,
    ),
  };
}

/** With the artifacts of the first alternative that is the usual one here. */
function usual(component: Component, alternatives: readonly string[]): Component {
  const name = alternatives.find((one) => component.alternatives[one] !== undefined);
  const artifacts = name === undefined ? undefined : component.alternatives[name];
  if (name === undefined || artifacts === undefined) return component;
  const others = Object.fromEntries(Object.entries(component.alternatives).filter(([one]) => one !== name));
  const version = artifacts[0]?.version ?? component.version;
  return { ...component, artifacts, alternatives: others, unavailable: {}, ...(version !== undefined && { version }) };
}

function renewed(component: Component, before: string, { version, pin }: SeriesRelease): Component {
  const artifact = (one: Artifact): Artifact => {
    const from = one.from.replaceAll(before, version);
    const digest = pin.digests[one.platform]?.[from.slice(from.lastIndexOf("/") + 1)];
    const sums = `${from}.${from.endsWith(".tar.gz") ? "sha512" : "sha256"}`;
    const { platform, files, mirrors } = one;
    const found =
      digest === undefined
        ? ({ checksum: sums, source: "upstream's own checksum file, which lock reads", confidence: "missing" } as const)
        : ({
            digest,
            published: sums,
            confidence: "medium",
            ...(pin.source !== undefined && { source: pin.source }),
          } as const);
    return { platform, from, mirrors, files, ...found };
  };
  return {
    ...component,
    version,
    artifacts: component.artifacts.map(artifact),
    alternatives: Object.fromEntries(
      Object.entries(component.alternatives).map(([name, artifacts]) => [name, artifacts.map(artifact)]),
    ),
  };
}
