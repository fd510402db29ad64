/** One node's tree on one platform, as the bundle would make it. */
import {
  type ImageEntry,
  type PackageEntry,
  type Platform,
  type Role,
  type Selector,
  selects,
  type UnitEntry,
} from "#bundle";
import type { NodeFile, Rendered } from "../../render/node-file.ts";
import { type Base, mergedUsr } from "./base.ts";

export interface View {
  /** `n1 (linux/amd64)` */
  readonly label: string;
  readonly platform: Platform;
  readonly roles: readonly Role[];
  readonly files: ReadonlyMap<string, NodeFile>;
  /** Directories that are made, and every directory above a file or above one of them. */
  readonly directories: ReadonlySet<string>;
  readonly units: readonly UnitEntry[];
  readonly checks: Rendered["checks"];
  readonly objects: Rendered["objects"];
  readonly images: readonly ImageEntry[];
  readonly packages: ReadonlySet<string>;
  readonly base: Base;
}

export interface ViewInput {
  readonly rendered: Rendered;
  readonly images: readonly ImageEntry[];
  readonly packages: readonly PackageEntry[];
}

/** What a node gets that takes `roles`. */
export function viewOf(
  input: ViewInput,
  node: { name: string; roles: readonly Role[] },
  base: Base,
  platform: Platform,
): View {
  const mine = (entry: { readonly for: Selector }): boolean => selects(entry.for, node.name, node.roles, platform);
  const { rendered } = input;
  const files = new Map(rendered.files.filter(mine).map((file) => [file.path, file]));
  const made = rendered.directories.filter(mine).map(({ path }) => path);
  const directories = new Set(made);
  for (const path of [...files.keys(), ...made]) for (const above of parents(path)) directories.add(above);
  return {
    label: `${node.name} (${platform})`,
    platform,
    roles: node.roles,
    files,
    directories,
    units: rendered.units.filter(mine),
    checks: rendered.checks.filter(mine),
    objects: rendered.objects.filter(mine),
    images: input.images.filter(mine),
    packages: new Set(input.packages.filter(mine).map(({ name }) => name)),
    base,
  };
}

/** How a program at a path is there: from the bundle, the base, a carried package; `likely` on most hosts; or not. */
export function findProgram(view: View, path: string): "here" | "likely" | "missing" {
  const merged = mergedUsr(path);
  if (view.files.has(path) || view.files.has(merged) || view.base.programs.has(merged)) return "here";
  return findOffer(view, merged);
}

/** Whether a carried package brings a path or soname. */
export function findOffer(view: View, name: string): "here" | "likely" | "missing" {
  const offer = view.base.offers.get(name);
  if (offer === undefined) return "missing";
  if (offer.packages.some((one) => view.packages.has(one))) return "here";
  return offer.likely ? "likely" : "missing";
}

export function parents(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
