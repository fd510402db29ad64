/**
 * Packages of the operating system from the bundle, installed by dpkg or rpm in one transaction with no repository at
 * hand. What the host has already, in the same version or a newer one, is left alone; undo removes what was added.
 */
import type { Kind } from "./operation.ts";
import { dpkg } from "./package-dpkg.ts";
import type { PackageFile, PackageManager, PackageState } from "./package-manager.ts";
import { rpm } from "./package-rpm.ts";

export interface PackageSpec {
  readonly format: "deb" | "rpm";
  /** In the order in which they depend on each other. */
  readonly packages: readonly PackageFile[];
}

export interface PackageBefore {
  /** `/`, or the mounted tree that the packages go into. */
  readonly root: string;
  /** As `spec.packages`. */
  readonly states: readonly PackageState[];
}

const managers: Readonly<Record<PackageSpec["format"], PackageManager>> = { deb: dpkg, rpm };

export const osPackages: Kind<PackageSpec, PackageBefore> = {
  resource: ({ format }) => `packages (${format})`,
  describe: ({ packages }) => `packages ${packages.map(({ name }) => name).join(", ")}`,
  async inspect(host, spec) {
    return { root: host.root, states: await managers[spec.format].states(host, spec.packages) };
  },
  forward(spec, before) {
    const wanted = spec.packages.filter((_, index) => isWanted(before.states[index]));
    return wanted.length === 0 ? [] : managers[spec.format].install(before.root, wanted);
  },
  backward(spec, before) {
    const added = spec.packages
      .map((file, index) => ({ file, state: before.states[index] ?? ({ is: "absent" } as const) }))
      .filter(({ state }) => state.is !== "installed");
    return added.length === 0 ? [] : managers[spec.format].remove(before.root, added);
  },
  irreversible(spec, before) {
    const upgraded = spec.packages.flatMap(({ name, version }, index) => {
      const state = before.states[index];
      return state?.is === "installed" && state.order === "older" ? [`${name} ${state.version} by ${version}`] : [];
    });
    if (upgraded.length === 0) return null;
    return `packages of the host are replaced by newer ones, which undo leaves: ${upgraded.join(", ")}`;
  },
};

function isWanted(state: PackageState | undefined): boolean {
  return state === undefined || state.is !== "installed" || state.order === "older";
}
