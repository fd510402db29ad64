/** New certificates for what is installed: their files, and a restart of the units that read them. Pure. */
import { currentTransactions, installedGoals } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { goal, idsOf } from "../resources/catalogue.ts";
import type { FileId } from "../resources/file.ts";
import type { Phase, Plan } from "../resources/resource.ts";

/** Files as installed, by path. */
export function installedFiles(past: readonly Transaction[]): Map<string, FileId> {
  return new Map(idsOf("file", [...installedGoals(past).values()]).map((file) => [file.path, file]));
}

/** `renewed`: files as they will be; those that are so already change nothing. The units are the installed ones. */
export function renewalPlan(past: readonly Transaction[], renewed: readonly FileId[]): Plan {
  const installed = installedFiles(past);
  const changed = renewed.filter(({ path, digest }) => installed.get(path)?.digest !== digest);
  const digests = new Map([...installed.values(), ...changed].map(({ path, digest }) => [path, digest]));
  const paths = new Set(changed.map(({ path }) => path));
  const units = new Set(idsOf("unit", [...installedGoals(past).values()]).map(({ name }) => name));
  const seen = new Set<string>();
  // A unit of two roles is in two transactions: its last place counts.
  const restarts = currentTransactions(past)
    .flatMap((one) => one.phases)
    .toReversed()
    .map((phase): Phase => {
      const touched = idsOf("unit", phase.goals)
        .filter(({ name, restartOn }) => units.has(name) && restartOn.some(({ path }) => paths.has(path)))
        .filter(({ name }) => !seen.has(name));
      for (const { name } of touched) seen.add(name);
      const goals = touched.map((unit) =>
        goal("unit", {
          ...unit,
          restartOn: unit.restartOn.map((file) => ({ ...file, digest: digests.get(file.path) ?? file.digest })),
        }),
      );
      return { name: phase.name, goals, gates: touched.length === 0 ? [] : phase.gates };
    })
    .toReversed();
  const files = changed.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const place: Phase = { name: "place", goals: files.map((file) => goal("file", file)), gates: [] };
  return { phases: [place, ...restarts].filter(({ goals }) => goals.length > 0) };
}
