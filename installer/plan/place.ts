/** The bundle's files, in order of path. */
import { operation } from "../operations/catalogue.ts";
import type { Phase } from "../operations/operation.ts";
import { attributes, type PlanInput } from "./input.ts";

export function place({ files, owner }: PlanInput): Phase {
  const operations = files
    .toSorted((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
    .map(({ entry, digest, size }) =>
      operation("file", { path: entry.path, ...attributes(entry, owner), digest, size, sensitive: entry.sensitive }),
    );
  return { name: "place", operations, gates: [] };
}
