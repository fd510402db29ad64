/** Settings of the host, images, packages and objects that only an older bundle wanted: the operations that give them back. Pure. */
import { hostsBlock, type HostsSpec } from "../operations/hosts.ts";
import type { BlockSpec } from "../operations/block.ts";
import { operation } from "../operations/catalogue.ts";
import type { EditBefore } from "../operations/edit.ts";
import type { ImageBefore, ImageSpec } from "../operations/image.ts";
import type { ModuleBefore, ModuleSpec, SysctlBefore, SysctlSpec } from "../operations/kernel.ts";
import { type Identity, keyOf } from "../operations/manifest.ts";
import type { ObjectBefore } from "../operations/object.ts";
import type { ManifestBefore } from "../operations/object-kubectl.ts";
import type { ObjectSpec } from "../operations/object-spec.ts";
import type { Change, Operation } from "../operations/operation.ts";
import type { PackageBefore, PackageSpec } from "../operations/package.ts";
import type { PackageFile, PackageState } from "../operations/package-manager.ts";
import type { UnitBefore, UnitSpec } from "../operations/unit.ts";
import { bringerOf } from "./prepare.ts";

export interface GiveBackInput {
  /** What goes: as the older bundle wanted it, with what was there before it. The last that was done first. */
  readonly gone: readonly Change[];
  /** All that was ever changed and not taken back, oldest first. */
  readonly changes: readonly Change[];
  /** Everything that is still wanted. */
  readonly wanted: readonly Operation[];
  /** Everything that bundles on the host wanted. */
  readonly installed: readonly Operation[];
  /** Objects of the newer bundle's manifests, by {@link keyOf}: one that moved to another manifest stays. */
  readonly objects: ReadonlySet<string>;
  readonly live: boolean;
  /** False with `--no-start`: then nobody plans images and objects, and none goes. */
  readonly starts: boolean;
}

/** In the order in which they are to be performed. */
export function giveBack(input: GiveBackInput): Operation[] {
  return [...input.gone.flatMap((change) => givers[change.kind]?.(change, input) ?? []), ...packages(input)];
}

type Giver = (change: Change, input: GiveBackInput) => Operation[];

const givers: Readonly<Record<string, Giver>> = {
  sysctl: ({ spec, before }, { live }) =>
    live ? [operation("absent-sysctl", { wanted: spec as SysctlSpec, original: before as SysctlBefore })] : [],
  module({ spec, before }, { live, wanted, installed }) {
    const { name } = spec as ModuleSpec;
    const brought = (one: Operation): boolean =>
      one.kind === "sysctl" && bringerOf((one.spec as SysctlSpec).key, [name]) === name;
    // One that brings a key which the newer bundle sets as well stays with it.
    if (!live || wanted.some(brought)) return [];
    const keys = installed.filter(brought).map((one) => (one.spec as SysctlSpec).key);
    return [operation("absent-module", { wanted: spec as ModuleSpec, original: before as ModuleBefore, keys })];
  },
  hosts: ({ spec, before }) => [
    operation("absent-block", { wanted: hostsBlock(spec as HostsSpec), original: before as EditBefore }),
  ],
  block: ({ spec, before }) => [
    operation("absent-block", { wanted: spec as BlockSpec, original: before as EditBefore }),
  ],
  image: ({ spec, before }, { live, starts }) =>
    live && starts ? [operation("absent-image", { wanted: spec as ImageSpec, original: before as ImageBefore })] : [],
  object({ spec, before }, { live, starts, objects }) {
    const original = withoutMoved(before as ObjectBefore, objects);
    return live && starts && original !== null
      ? [operation("absent-object", { wanted: spec as ObjectSpec, original })]
      : [];
  },
};

/** Packages are one operation, however many there are: each that is wanted no more, as it was before any bundle. */
function packages({ changes, wanted }: GiveBackInput): Operation[] {
  const isPackage = ({ kind }: Operation): boolean => kind === "package";
  const specs = wanted.filter(isPackage).map(({ spec }) => spec as PackageSpec);
  const kept = new Set(specs.flatMap((spec) => spec.packages.map(({ name }) => `${spec.format} ${name}`)));
  const first = new Map<
    string,
    { format: PackageSpec["format"]; root: string; file: PackageFile; state: PackageState }
  >();
  for (const change of changes.filter(isPackage)) {
    const [{ format, packages: files }, { root, states }] = [
      change.spec as PackageSpec,
      change.before as PackageBefore,
    ];
    for (const [at, file] of files.entries()) {
      const [key, state] = [`${format} ${file.name}`, states[at]];
      if (state !== undefined && !first.has(key) && !kept.has(key)) first.set(key, { format, root, file, state });
    }
  }
  return (["deb", "rpm"] as const).flatMap((format) => {
    const gone = [...first.values()].filter(
      (one) => one.format === format && (one.state.is === "absent" || one.state.is === "removed"),
    );
    const [any] = gone;
    if (any === undefined) return [];
    const original = { root: any.root, states: gone.map(({ state }) => state) };
    return [operation("absent-package", { wanted: { format, packages: gone.map(({ file }) => file) }, original })];
  });
}

/** A unit of the host's own; it waits until the files that it reads have gone. */
export function giveBackUnit({ spec, before }: Change, live: boolean): Operation {
  const unit = spec as UnitSpec;
  const wanted = { ...unit, live, start: unit.start && live };
  return operation("absent-host-unit", { wanted, original: before as UnitBefore });
}

/** What undo would do about a manifest's objects, but for those in `moved`; null where nothing is left. */
function withoutMoved(before: ObjectBefore, moved: ReadonlySet<string>): ObjectBefore | null {
  if (!("missing" in before)) return before;
  const stays = (identity: Identity): boolean => moved.has(keyOf(identity));
  const filtered = {
    ...before,
    missing: before.missing.filter((identity) => !stays(identity)),
    earlier: withoutItems(before.earlier, stays),
    applied: withoutItems(before.applied, stays),
  };
  return filtered.missing.length === 0 && filtered.earlier === null ? null : filtered;
}

interface Item extends Pick<Identity, "apiVersion" | "kind"> {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function withoutItems(list: ManifestBefore["earlier"], stays: (identity: Identity) => boolean): typeof list {
  if (list === null) return null;
  const value = JSON.parse(list.text) as { items: Item[] };
  const items = value.items.filter(
    ({ apiVersion, kind, metadata }) =>
      !stays({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? null }),
  );
  return items.length === 0 ? null : { text: `${JSON.stringify({ ...value, items })}\n` };
}
