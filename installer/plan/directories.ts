/** Every directory that this node needs, parents first: those of the index, and the parents of everything placed. */
import { dirname } from "node:path";
import { goal } from "../resources/catalogue.ts";
import type { Goal } from "../resources/resource.ts";
import { attributes, chosen, type PlanInput } from "./input.ts";
import { linkPaths } from "./start.ts";

export function directories(input: PlanInput): Goal[] {
  const explicit = new Map(chosen(input.index.directories, input.selection).map((entry) => [entry.path, entry]));
  const { hosts, swap } = input.index.host;
  const edited = [
    ...(hosts.length > 0 || input.index.host.hostname ? ["/etc/hosts"] : []),
    // Masks of swap units lie there.
    ...(swap === "off" && input.live ? ["/etc/systemd/system/any.swap"] : []),
  ];
  const placed = [
    ...input.files.map(({ entry }) => entry.path),
    ...linkPaths(input),
    ...(input.time?.links ?? []),
    ...edited,
  ];
  const paths = new Set([
    ...placed.flatMap(parents),
    ...[...explicit.keys()].flatMap((path) => [...parents(path), path]),
  ]);
  const implied = { mode: "0755", owner: "0:0" };
  return [...paths].toSorted(byDepth).map((path) => {
    const entry = explicit.get(path);
    return goal("directory", { path, ...attributes(entry ?? implied, input.owner), implied: entry === undefined });
  });
}

/** `/a/b/c` → `/a`, `/a/b` */
function parents(path: string): string[] {
  const parent = dirname(path);
  return parent === "/" ? [] : [...parents(parent), parent];
}

function byDepth(a: string, b: string): number {
  return a.split("/").length - b.split("/").length || (a < b ? -1 : 1);
}
