/** What the resource `package` wants of a package manager, and what dpkg's and rpm's halves share. */
import { ExpectedError } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The .deb or .rpm on the node. */
  readonly path: string;
  /** ID and VERSION_ID of os-release for which it was resolved; absent: for whatever host this is. */
  readonly distribution?: string;
}

/** What the host has under a package's name. */
export type PackageState =
  /** For another distribution than this host's: none of its business. */
  | { readonly is: "foreign" }
  | { readonly is: "absent" }
  /** Of a transaction that was cut off. */
  | { readonly is: "partial" }
  /** Removed earlier, its configuration kept: undo leaves that where it was. */
  | { readonly is: "removed" }
  | { readonly is: "installed"; readonly version: string; readonly order: "older" | "same" | "newer" };

/** How a package manager is asked and told. */
export interface PackageManager {
  states(host: HostReader, packages: readonly PackageFile[]): Promise<PackageState[]>;
  install(root: string, packages: readonly PackageFile[]): Effect[];
  /** Takes away packages that may be installed in full, in part, or not at all. */
  remove(root: string, packages: readonly { readonly file: PackageFile; readonly state: PackageState }[]): Effect[];
}

/** A path as the package manager outside the tree sees it. */
export function outside(root: string, path: string): string {
  return root === "/" ? path : `${root.replace(/\/+$/, "")}${path}`;
}

/** PREFLIGHT: a host whose package manager cannot even be asked takes no packages. */
export function cannotAsk(program: string, said: string): ExpectedError {
  return new ExpectedError("PREFLIGHT", `the bundle carries packages, and ${program} does not answer on this host`, {
    found: said.trim().split("\n").slice(-2).join("; "),
    hint: `${program} --version`,
  });
}
