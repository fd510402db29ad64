/** New certificates for what is installed: their files, and a restart of the units that read them. Pure. */
import { currentTransactions, installedOperations } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { operation } from "../operations/catalogue.ts";
import type { FileSpec } from "../operations/file.ts";
import type { Phase, Plan } from "../operations/operation.ts";
import type { UnitSpec } from "../operations/unit.ts";

/** Files as installed, by path. */
export function installedFiles(past: readonly Transaction[]): Map<string, FileSpec> {
  const files = [...installedOperations(past)].filter(([, { kind }]) => kind === "file");
  return new Map(files.map(([path, { spec }]) => [path, spec as FileSpec]));
}

/** `renewed`: files as they will be; those that are so already change nothing. The units are the installed ones. */
export function renewalPlan(past: readonly Transaction[], renewed: readonly FileSpec[]): Plan {
  const installed = installedFiles(past);
  const changed = renewed.filter(({ path, digest }) => installed.get(path)?.digest !== digest);
  const digests = new Map([...installed.values(), ...changed].map(({ path, digest }) => [path, digest]));
  const paths = new Set(changed.map(({ path }) => path));
  const units = installedOperations(past);
  const phases = currentTransactions(past).flatMap((one) => one.phases);
  const restarts = phases.map((phase): Phase => {
    const touched = phase.operations
      .filter(({ kind, spec }) => kind === "unit" && units.has(`unit ${(spec as UnitSpec).name}`))
      .map(({ spec }) => spec as UnitSpec)
      .filter(({ restartOn }) => restartOn.some(({ path }) => paths.has(path)));
    const operations = touched.map((spec) =>
      operation("unit", {
        ...spec,
        restartOn: spec.restartOn.map(({ path, digest }) => ({ path, digest: digests.get(path) ?? digest })),
      }),
    );
    return { name: phase.name, operations, gates: touched.length === 0 ? [] : phase.gates };
  });
  const place: Phase = {
    name: "place",
    operations: changed.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map((spec) => operation("file", spec)),
    gates: [],
  };
  return { phases: [place, ...once(restarts)].filter(({ operations }) => operations.length > 0) };
}

/** A unit of two roles is in two transactions: its last place counts. */
function once(phases: readonly Phase[]): Phase[] {
  const seen = new Set<string>();
  return phases
    .toReversed()
    .map((phase) => ({
      ...phase,
      operations: phase.operations.filter(({ spec }) => {
        const { name } = spec as UnitSpec;
        const first = !seen.has(name);
        seen.add(name);
        return first;
      }),
    }))
    .toReversed();
}
