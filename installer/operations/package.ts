/**
 * Packages of the operating system from the bundle, installed by dpkg or rpm in one transaction with no repository at
 * hand. What the host has already, in the same version or a newer one, is left alone; undo removes what was added.
 */
import type { Kind } from "./operation.ts";
import type { HostReader } from "../host/host.ts";
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
    const here = await distributionOf(host);
    const own = spec.packages.filter((one) => isFor(one, here));
    const states = own.length === 0 ? [] : await managers[spec.format].states(host, own);
    const stateOf = (one: PackageFile): PackageState => states[own.indexOf(one)] ?? { is: "foreign" };
    return { root: host.root, states: spec.packages.map(stateOf) };
  },
  forward(spec, before) {
    const wanted = spec.packages.filter((_, index) => isWanted(before.states[index]));
    return wanted.length === 0 ? [] : managers[spec.format].install(before.root, wanted);
  },
  backward(spec, before) {
    const added = spec.packages
      .map((file, index) => ({ file, state: before.states[index] ?? ({ is: "foreign" } as const) }))
      .filter(({ state }) => state.is === "absent" || state.is === "removed");
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
  if (state === undefined || state.is === "foreign") return false;
  return state.is !== "installed" || state.order === "older";
}

/** `debian 12` */
async function distributionOf(host: HostReader): Promise<{ id: string; version: string }> {
  const text = (await host.read("/etc/os-release")) ?? (await host.read("/usr/lib/os-release")) ?? "";
  const field = (name: string): string => new RegExp(`^${name}=["']?([^"'\n]*)`, "m").exec(text)?.[1] ?? "";
  return { id: field("ID"), version: field("VERSION_ID") };
}

/** `rocky 9` is for 9.4 as well; `debian 12` for nothing but 12. */
function isFor({ distribution }: PackageFile, here: { id: string; version: string }): boolean {
  if (distribution === undefined) return true;
  const [id = "", version = ""] = distribution.split(" ");
  return id === here.id && (version === "" || version === here.version || here.version.startsWith(`${version}.`));
}
