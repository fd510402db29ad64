/** The bundle's files, in order of path, and the packages among them. */
import { operation } from "../operations/catalogue.ts";
import type { Operation, Phase } from "../operations/operation.ts";
import { attributes, chosen, type PlanInput } from "./input.ts";

export function place({ files, owner, index, selection, labels = false }: PlanInput): Phase {
  const placed = files
    .toSorted((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
    .map(({ entry, digest, size }) =>
      operation("file", { path: entry.path, ...attributes(entry, owner), digest, size, sensitive: entry.sensitive }),
    );
  const paths = files.map(({ entry }) => entry.path).toSorted();
  const contexts = labels && paths.length > 0 ? [operation("labels", { paths })] : [];
  return { name: "place", operations: [...placed, ...contexts, ...packages(index, selection)], gates: [] };
}

/** Packages of the operating system, once their files are on the node, for the format that they are of. */
function packages(index: PlanInput["index"], selection: PlanInput["selection"]): Operation[] {
  const all = chosen(index.packages, selection);
  return (["deb", "rpm"] as const).flatMap((format) => {
    const own = all.filter((entry) => entry.format === format);
    if (own.length === 0) return [];
    const files = own.map(({ name, version, architecture, path, distribution }) => ({
      name,
      version,
      architecture,
      path,
      distribution,
    }));
    return [operation("package", { format, packages: files })];
  });
}
