/** The bundle's files, in order of path, and the packages among them. */
import { goal } from "../resources/catalogue.ts";
import type { Goal, Phase } from "../resources/resource.ts";
import { attributes, chosen, type PlanInput } from "./input.ts";

export function place({ files, owner, index, selection, labels = false }: PlanInput): Phase {
  const placed = files
    .toSorted((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
    .map(({ entry, digest, size }) =>
      goal("file", { path: entry.path, ...attributes(entry, owner), digest, size, sensitive: entry.sensitive }),
    );
  const trusting = chosen(index.written ?? [], selection).flatMap(({ path, trusts }) =>
    trusts === undefined ? [] : [goal("kubeconfig-trust", { path, authority: trusts })],
  );
  const paths = files.map(({ entry }) => entry.path).toSorted();
  const phase: Phase = { name: "place", goals: [...placed, ...trusting, ...packages(index, selection)], gates: [] };
  return labels && paths.length > 0 ? { ...phase, hooks: [{ hook: "relabel", paths }] } : phase;
}

/** Packages of the operating system, once their files are on the node, for the format that they are of. */
function packages(index: PlanInput["index"], selection: PlanInput["selection"]): Goal[] {
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
    return [goal("package", { format, packages: files })];
  });
}
