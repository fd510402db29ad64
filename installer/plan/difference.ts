/** What an upgrade changes, for people before they say yes: versions, files, units. Pure. */
import type { Header } from "../journal/journal.ts";
import type { RecordedChange } from "../journal/transaction.ts";
import type { AbsentFileSpec, AbsentUnitSpec } from "../operations/absent.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { FileBefore, FileSpec } from "../operations/file.ts";
import type { UnitSpec } from "../operations/unit.ts";

export interface Difference {
  readonly files: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  readonly units: {
    readonly started: readonly string[];
    readonly restarted: readonly string[];
    readonly stopped: readonly string[];
  };
  /** Components whose version differs; null: there is none. */
  readonly versions: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[];
}

type Versions = Pick<Header["bundle"], "kubernetes" | "components">;

/** `changes` are those that will be performed, so that nothing is told that will not happen. */
export function differenceOf(changes: readonly RecordedChange[], from: Versions, to: Versions): Difference {
  const of = <Spec>(...kinds: string[]): { spec: Spec; before: unknown; effects: string[] }[] =>
    changes
      .filter(({ change }) => kinds.includes(change.kind))
      .map(({ change }) => ({
        spec: change.spec as Spec,
        before: change.before,
        effects: kindOf(change)
          .forward(change.spec, change.before)
          .flatMap((effect) => (effect.do === "run" ? [effect.argv[1] ?? ""] : [])),
      }));
  const files = of<FileSpec>("file").map(({ spec, before }) => ({
    path: spec.path,
    isNew: (before as FileBefore) === null,
  }));
  const units = of<UnitSpec>("unit");
  const ended = of<AbsentUnitSpec>("absent-unit").map(({ spec }) => spec);
  const named = (verb: string): string[] =>
    units.filter(({ effects }) => effects.includes(verb)).map(({ spec }) => spec.name);
  return {
    files: {
      added: files.filter(({ isNew }) => isNew).map(({ path }) => path),
      changed: files.filter(({ isNew }) => !isNew).map(({ path }) => path),
      removed: [
        ...of<AbsentFileSpec>("absent-file").map(({ spec }) => spec.path),
        ...ended.map(({ file }) => file),
      ].toSorted(),
    },
    units: { started: named("start"), restarted: named("restart"), stopped: ended.map(({ name }) => name) },
    versions: versions(from, to),
  };
}

/** Lines for people: `+` added, `~` changed, `-` removed. */
export function describeDifference({ files, units, versions }: Difference): string[] {
  return [
    ...versions.map(({ name, from, to }) => `  version   ${name} ${from ?? "(none)"} → ${to ?? "(none)"}`),
    ...files.added.map((path) => `  file    + ${path}`),
    ...files.changed.map((path) => `  file    ~ ${path}`),
    ...files.removed.map((path) => `  file    - ${path}`),
    ...units.stopped.map((name) => `  unit    - ${name}, stopped for good`),
    ...units.restarted.map((name) => `  unit    ~ ${name}, restarted`),
    ...units.started.map((name) => `  unit    + ${name}, started`),
  ];
}

function versions(from: Versions, to: Versions): Difference["versions"] {
  const all = ({ kubernetes, components = {} }: Versions): Record<string, string> => ({
    ...(kubernetes == null ? {} : { kubernetes }),
    ...components,
  });
  const [old, now] = [all(from), all(to)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .toSorted()
    .map((name) => ({ name, from: old[name] ?? null, to: now[name] ?? null }))
    .filter((entry) => entry.from !== entry.to);
}
