/**
 * Packages of the operating system from the bundle, installed by dpkg or rpm in one transaction with no repository at
 * hand. What the host has already, in the same version or a newer one, is left alone; undo removes what was added.
 */
import type { Distribution } from "#formats/os-release";
import type { Effect } from "../host/effect.ts";
import { distributionOf } from "../host/facts.ts";
import { dpkg } from "./package-dpkg.ts";
import type { PackageFile, PackageManager, PackageState } from "./package-manager.ts";
import { rpm } from "./package-rpm.ts";
import { type Change, type Goal, isSame, type Resource } from "./resource.ts";

export interface PackageId {
  readonly format: "deb" | "rpm";
  /** In the order in which they depend on each other. */
  readonly packages: readonly PackageFile[];
  /** Those of an older bundle that a newer one no longer has. */
  readonly dropped?: true;
}

export interface PackagesState {
  /** `/`, or the mounted tree that the packages go into. */
  readonly root: string;
  /** As the id's `packages`. */
  readonly states: readonly PackageState[];
}

const managers: Readonly<Record<PackageId["format"], PackageManager>> = { deb: dpkg, rpm };
const foreign: PackageState = { is: "foreign" };

export const osPackages: Resource<PackageId, PackagesState> = {
  name: ({ format, dropped }) => `${dropped ? "dropped " : ""}packages (${format})`,
  describe: ({ packages }) => `packages ${packages.map(({ name }) => name).join(", ")}`,
  async inspect(host, { format, packages }) {
    const here = await distributionOf(host);
    const own = packages.filter((one) => isFor(one, here));
    const states = own.length === 0 ? [] : await managers[format].states(host, own);
    return { root: host.root, states: packages.map((one) => states[own.indexOf(one)] ?? foreign) };
  },
  spec: ({ packages }, now) => ({
    ...now,
    states: packages.map(({ version }, at) => {
      const state = now.states[at] ?? foreign;
      return lacks(state) ? { is: "installed", version, order: "same" } : state;
    }),
  }),
  equal: (a, b) => isSame(a.states, b.states),
  steps({ format, packages, dropped }, from, to) {
    const manager = managers[format];
    const all = packages.map((file, at) => ({
      file,
      was: from.states[at] ?? foreign,
      state: to.states[at] ?? foreign,
    }));
    const added = all.filter(({ was, state }) => isOurs(state) && lacks(was));
    // Of an older bundle's, one that somebody upgraded since is his.
    const gone = all.filter(
      ({ was, state }) =>
        !isHere(state) && was.is !== state.is && (dropped === undefined || !isHere(was) || isOurs(was)),
    );
    const files = added.map(({ file }) => file);
    const removal = gone.length === 0 ? [] : manager.remove(to.root, gone);
    // What else was installed since and needs one keeps it: the package manager says so, and it stays.
    return [
      ...(files.length === 0 ? [] : manager.install(to.root, files)),
      ...(dropped ? removal.map(lenient) : removal),
    ];
  },
  // Together with all that transactions ever installed: see droppedPackages.
  retires: () => null,
  irreversible({ packages }, before) {
    const upgraded = packages.flatMap(({ name, version }, at) => {
      const state = before.states[at];
      return state?.is === "installed" && state.order === "older" ? [`${name} ${state.version} by ${version}`] : [];
    });
    if (upgraded.length === 0) return null;
    return `packages of the host are replaced by newer ones, which undo leaves: ${upgraded.join(", ")}`;
  },
};

/** Whether a package has to be installed. */
function lacks(state: PackageState): boolean {
  return state.is !== "foreign" && (state.is !== "installed" || state.order === "older");
}

function isOurs(state: PackageState): boolean {
  return state.is === "installed" && state.order === "same";
}

/** Nothing that undo would take away. */
function isHere({ is }: PackageState): boolean {
  return is === "installed" || is === "foreign";
}

/** Each package of `changes` that is wanted no more, to be as it was before any bundle; one goal a format. */
export function droppedPackages(changes: readonly Change[], kept: readonly Goal[]): Goal[] {
  const isPackage = ({ resource }: Pick<Goal, "resource">): boolean => resource === "package";
  const keyOf = (format: string, { name }: PackageFile): string => `${format} ${name}`;
  const seen = new Set(
    kept.filter(isPackage).flatMap(({ id }) => {
      const { format, packages } = id as PackageId;
      return packages.map((file) => keyOf(format, file));
    }),
  );
  const gone = changes.filter(isPackage).flatMap(({ id, before }) => {
    const [{ format, packages, dropped }, { root, states }] = [id as PackageId, before as PackagesState];
    return packages.flatMap((file, at) => {
      const state = states[at] ?? foreign;
      if (dropped === true || seen.has(keyOf(format, file))) return [];
      seen.add(keyOf(format, file));
      return isHere(state) ? [] : [{ format, root, file, state }];
    });
  });
  return (["deb", "rpm"] as const).flatMap((format) => {
    const own = gone.filter((one) => one.format === format);
    const [first] = own;
    if (first === undefined) return [];
    const id: PackageId = { format, packages: own.map(({ file }) => file), dropped: true };
    const to: PackagesState = { root: first.root, states: own.map(({ state }) => state) };
    return [{ resource: "package", id, back: { to, always: true } }];
  });
}

function lenient(effect: Effect): Effect {
  return effect.do === "run" ? { ...effect, accept: [...(effect.accept ?? [0]), 1] } : effect;
}

/** `rocky 9` is for 9.4 as well; `debian 12` for nothing but 12. */
function isFor({ distribution }: PackageFile, here: Distribution): boolean {
  if (distribution === undefined) return true;
  const [id = "", version = ""] = distribution.split(" ");
  return id === here.id && (version === "" || version === here.version || here.version.startsWith(`${version}.`));
}
