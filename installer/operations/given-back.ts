/**
 * What an older bundle set and a newer one no longer has, given back in the newer one's transaction as undo would, and
 * brought about again by rollback. What somebody changed since the older bundle set it is his own, and stays.
 */
import type { Effect } from "../host/effect.ts";
import { type ImageBefore, type ImageSpec, image } from "./image.ts";
import {
  module,
  type ModuleBefore,
  type ModuleSpec,
  sysctl,
  type SysctlBefore,
  sysctlPath,
  type SysctlSpec,
} from "./kernel.ts";
import { object, type ObjectBefore } from "./object.ts";
import { etcdUnreachable, unreachable } from "./object-answer.ts";
import type { ObjectSpec } from "./object-spec.ts";
import type { Kind } from "./operation.ts";
import { osPackages, type PackageBefore, type PackageSpec } from "./package.ts";
import { unit, type UnitBefore, type UnitSpec } from "./unit.ts";

export interface GivenBackSpec<Spec, Before> {
  /** What the older bundle wanted. */
  readonly wanted: Spec;
  /** What was there before it. */
  readonly original: Before;
}

type Again<Spec, Before> = (spec: GivenBackSpec<Spec, Before>, before: Before) => Effect[];

/** `again`: how rollback brings it about from any state between; default: as the older bundle did. */
function givenBack<Spec, Before>(
  kind: Kind<Spec, Before>,
  again: Again<Spec, Before> = ({ wanted, original }) => kind.forward(wanted, original),
): Kind<GivenBackSpec<Spec, Before>, Before> {
  const isStillSo = ({ wanted }: GivenBackSpec<Spec, Before>, before: Before): boolean =>
    (kind.unseen?.(before) ?? null) === null && kind.forward(wanted, before).length === 0;
  return {
    resource: ({ wanted }) => kind.resource(wanted),
    describe: ({ wanted }) => `no more ${kind.describe(wanted)}`,
    inspect: (host, { wanted }) => kind.inspect(host, wanted),
    forward: (spec, before) => (isStillSo(spec, before) ? kind.backward(spec.wanted, spec.original) : []),
    backward: (spec, before) => (isStillSo(spec, before) ? again(spec, before) : []),
  };
}

export const absentSysctl: Kind<GivenBackSpec<SysctlSpec, SysctlBefore>, SysctlBefore> = givenBack(
  sysctl,
  ({ wanted }, before) => sysctl.backward(wanted, before),
);

export interface AbsentModuleSpec extends GivenBackSpec<ModuleSpec, ModuleBefore> {
  /** Kernel values that come and go with it. */
  readonly keys: readonly string[];
}

export interface AbsentModuleBefore {
  readonly module: ModuleBefore;
  /** Of `keys`. */
  readonly values: readonly SysctlBefore[];
}

const moduleAlone = givenBack(module);

export const absentModule: Kind<AbsentModuleSpec, AbsentModuleBefore> = {
  resource: (spec) => moduleAlone.resource(spec),
  describe: (spec) => moduleAlone.describe(spec),
  async inspect(host, spec) {
    const values = spec.keys.map((key) => sysctl.inspect(host, valueOf(key)));
    return { module: await moduleAlone.inspect(host, spec), values: await Promise.all(values) };
  },
  forward: (spec, before) => moduleAlone.forward(spec, before.module),
  backward(spec, before) {
    const load = moduleAlone.backward(spec, before.module);
    const values = spec.keys.flatMap((key, at): Effect[] => {
      const value = before.values[at] ?? null;
      return value === null ? [] : [{ do: "set", path: sysctlPath(key), value, optional: true }];
    });
    return load.length === 0 ? [] : [...load, ...values];
  },
};

const valueOf = (key: string): SysctlSpec => ({ key, value: "", policy: "set", broughtBy: null });

/** A runtime that does not run has nothing, and takes nothing: the audit tells, and ./install brings it. */
export const absentImage: Kind<GivenBackSpec<ImageSpec, ImageBefore>, ImageBefore> = givenBack(
  image,
  ({ wanted, original }) =>
    image.forward(wanted, original).map((effect) => {
      if (effect.do !== "run") return effect;
      const { matches: _matches, ...run } = effect;
      return { ...run, accept: [0, 1, 127] };
    }),
);

/** A cluster that does not answer, likewise: undo must not wait for one that is gone. */
export const absentObject: Kind<GivenBackSpec<ObjectSpec, ObjectBefore>, ObjectBefore> = {
  ...givenBack(object, ({ wanted, original }) =>
    object.forward(wanted, original).map((effect) => {
      if (effect.do !== "run") return effect;
      const known = effect.forgive === undefined ? [] : [effect.forgive];
      return { ...effect, forgive: [...known, unreachable.source, etcdUnreachable.source].join("|") };
    }),
  ),
  unseen: (before) => object.unseen?.(before) ?? null,
};

/**
 * Each package by itself: one that went or was upgraded meanwhile is nobody's business here. What else was installed and
 * needs one of them keeps it: the package manager says so, and it stays.
 */
export const absentPackages: Kind<GivenBackSpec<PackageSpec, PackageBefore>, PackageBefore> = {
  resource: ({ wanted }) => `no more packages (${wanted.format})`,
  describe: ({ wanted }) => `no more ${osPackages.describe(wanted)}`,
  inspect: (host, { wanted }) => osPackages.inspect(host, wanted),
  forward(spec, before) {
    const { wanted, original } = stillInstalled(spec, before);
    return osPackages
      .backward(wanted, original)
      .map((effect) => (effect.do === "run" ? { ...effect, accept: [...(effect.accept ?? [0]), 1] } : effect));
  },
  backward(spec, before) {
    const { wanted, original } = stillInstalled(spec, before);
    return osPackages.forward(wanted, original);
  },
};

function stillInstalled(
  { wanted, original }: GivenBackSpec<PackageSpec, PackageBefore>,
  { states }: PackageBefore,
): GivenBackSpec<PackageSpec, PackageBefore> {
  const isSo = (at: number): boolean => {
    const state = states[at];
    return state?.is === "installed" && state.order === "same";
  };
  return {
    wanted: { ...wanted, packages: wanted.packages.filter((_file, at) => isSo(at)) },
    original: { ...original, states: original.states.filter((_state, at) => isSo(at)) },
  };
}

/**
 * A unit of the host's own: it runs, and a boot starts it, only where that was so. It comes after the files that it
 * reads have gone, and rollback starts it after they are back.
 */
export const absentHostUnit: Kind<GivenBackSpec<UnitSpec, UnitBefore>, UnitBefore> = {
  ...givenBack(unit, ({ wanted, original }) => [
    ...original.masks.map((path): Effect => ({ do: "remove", path })),
    ...wanted.links.map((path): Effect => ({ do: "symlink", path, target: wanted.file })),
  ]),
  forward: (spec, before) =>
    unit.forward(spec.wanted, before).length > 0
      ? []
      : [...unit.backward(spec.wanted, spec.original), ...(unit.settle?.(spec.wanted, spec.original) ?? [])],
  // Once its files have gone it looks as if somebody had changed it.
  resume: (before) => before,
  settle: ({ wanted, original }) => unit.forward(wanted, original).filter((effect) => effect.do === "run"),
};
