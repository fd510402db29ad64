/** Puts a bundle's index together from what was rendered, locked and compressed. Pure. */
import {
  type BundleIndex,
  type Digest,
  type FileEntry,
  type ImageEntry,
  type PackageEntry,
  type Platform,
  tokens,
} from "#bundle";
import type { Lock } from "../lock/lock.ts";
import type { NodeFile, Rendered } from "../render/node-file.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Frame } from "./compress.ts";
import { contentOf } from "./groups.ts";
import { byText } from "../text-order.ts";

export interface IndexInput {
  readonly producer: string;
  readonly cluster: BundleIndex["cluster"];
  readonly kubernetes: string | null;
  readonly platforms: readonly Platform[];
  readonly rendered: Rendered;
  readonly lock: Lock;
  readonly images: readonly ImageEntry[];
  readonly packages: readonly PackageEntry[];
  readonly frames: readonly Frame[];
  readonly members: BundleIndex["members"];
  readonly runtimes: readonly Runtime[];
  readonly secrets: BundleIndex["secrets"];
}

/** The index; lists whose order says nothing are sorted, so that the input's order changes no byte. */
export function indexOf(input: IndexInput): BundleIndex {
  const { rendered, lock } = input;
  return {
    format: 1,
    producer: input.producer,
    locked: lock.locked,
    release: {
      name: lock.release,
      kubernetes: input.kubernetes,
      components: componentsOf(lock),
    },
    cluster: input.cluster,
    platforms: input.platforms.toSorted(),
    members: input.members,
    ...(input.runtimes.length === 0 ? {} : { runtimes: runtimesOf(input.runtimes) }),
    blobs: Object.fromEntries(input.frames.map(({ digest, size, length }) => [digest, { size, length }])),
    contents: contentsOf(input.frames),
    nodes: [...rendered.nodes],
    directories: sorted(rendered.directories),
    files: sorted(rendered.files.map(fileEntry)),
    units: sorted(rendered.units),
    host: {
      ...rendered.host,
      modules: sorted(rendered.host.modules),
      sysctls: sorted(rendered.host.sysctls),
    },
    images: sorted(input.images),
    packages: sorted(input.packages),
    objects: [...rendered.objects],
    checks: [...rendered.checks],
    certificates: sorted(rendered.certificates),
    written: [...rendered.written],
    pods: rendered.pods,
    ...(rendered.keys === undefined ? {} : { keys: rendered.keys }),
    secrets: input.secrets,
  };
}

/** Version by component, in the order of the names. */
export function componentsOf(lock: Pick<Lock, "artifacts">): Record<string, string> {
  const versions = lock.artifacts.map(({ component, version }) => [component, version] as const);
  return Object.fromEntries(versions.toSorted(([a], [b]) => byText(a, b)));
}

function runtimesOf(runtimes: readonly Runtime[]): NonNullable<BundleIndex["runtimes"]> {
  return Object.fromEntries(
    runtimes.map(({ platform, version, digest, glibc }) => [platform, { node: version, digest, glibc }]),
  );
}

function contentsOf(frames: readonly Frame[]): BundleIndex["contents"] {
  const contents: Record<Digest, { size: number; blob: Digest; offset: number }> = {};
  for (const frame of frames) {
    let offset = 0;
    for (const { digest, size } of frame.group.contents) {
      contents[digest] = { size, blob: frame.digest, offset };
      offset += size;
    }
  }
  return contents;
}

function fileEntry(file: NodeFile): FileEntry {
  const { digest, size } = contentOf(file);
  const { path, mode, owner, content, sensitive, origin } = file;
  const held = typeof content === "string" ? tokens.filter((token) => content.includes(token)) : [];
  return { path, mode, owner, digest, size, tokens: held, sensitive, for: file.for, origin };
}

/** By path, name or key, then by everything else. */
function sorted<Item extends object>(items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item);
}

function keyOf(item: object): string {
  const names = Object.fromEntries(Object.entries(item));
  const first = ["path", "name", "key"].map((name) => names[name]).find((value) => typeof value === "string");
  const rest = Object.keys(names)
    .toSorted()
    .map((name) => [name, names[name]]);
  return `${String(first)}\0${JSON.stringify(rest)}`;
}
