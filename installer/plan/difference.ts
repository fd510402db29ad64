/** What an upgrade changes, for people before they say yes: versions, files, units. Pure. */
import type { Header } from "../journal/journal.ts";
import type { RecordedChange } from "../journal/transaction.ts";
import type { AbsentUnitSpec } from "../operations/absent.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { FileBefore, FileSpec } from "../operations/file.ts";
import type { Change } from "../operations/operation.ts";
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
  /** Settings, images, packages and objects of the older bundle that are given back. */
  readonly givenBack: readonly string[];
  /** Components whose version differs; null: there is none. */
  readonly versions: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[];
}

type Versions = Pick<Header["bundle"], "kubernetes" | "components">;

/** `changes` are those that will be performed, so that nothing is told that will not happen. */
export function differenceOf(changes: readonly RecordedChange[], from: Versions, to: Versions): Difference {
  const of = (kind: string): Change[] => changes.map(({ change }) => change).filter((change) => change.kind === kind);
  const paths = (found: readonly Change[]): string[] => found.map(({ spec }) => (spec as FileSpec).path);
  const isNew = ({ before }: Change): boolean => (before as FileBefore) === null;
  const ended = of("absent-unit").map(({ spec }) => spec as AbsentUnitSpec);
  const told = (verb: string): string[] =>
    of("unit")
      .filter((change) => verbsOf(change).includes(verb))
      .map(({ spec }) => (spec as UnitSpec).name);
  return {
    files: {
      added: paths(of("file").filter(isNew)),
      changed: paths(of("file").filter((change) => !isNew(change))),
      removed: [...paths(of("absent-file")), ...ended.map(({ file }) => file)].toSorted(),
    },
    units: { started: told("start"), restarted: told("restart"), stopped: ended.map(({ name }) => name) },
    givenBack: changes
      .filter(({ change }) => /^absent-(block|sysctl|module|image|object|package|host-unit)$/.test(change.kind))
      .map(({ change }) =>
        kindOf(change)
          .describe(change.spec)
          .replace(/^no more /, ""),
      ),
    versions: versions(from, to),
  };
}

/** What systemctl is told to do. */
function verbsOf(change: Change): string[] {
  const effects = kindOf(change).forward(change.spec, change.before);
  return effects.flatMap((effect) => (effect.do === "run" ? [effect.argv[1] ?? ""] : []));
}

/** Lines for people: `+` added, `~` changed, `-` removed. */
export function describeDifference({ files, units, givenBack, versions }: Difference): string[] {
  return [
    ...versions.map(({ name, from, to }) => `  version   ${name} ${from ?? "(none)"} → ${to ?? "(none)"}`),
    ...files.added.map((path) => `  file    + ${path}`),
    ...files.changed.map((path) => `  file    ~ ${path}`),
    ...files.removed.map((path) => `  file    - ${path}`),
    ...units.stopped.map((name) => `  unit    - ${name}, stopped for good`),
    ...givenBack.map((what) => `  host    - ${what}`),
    ...units.restarted.map((name) => `  unit    ~ ${name}, restarted`),
    ...units.started.map((name) => `  unit    + ${name}, started`),
  ];
}

function versions(from: Versions, to: Versions): Difference["versions"] {
  const all = ({ kubernetes, components = {} }: Versions): Record<string, string> => ({
    ...(typeof kubernetes === "string" ? { kubernetes } : {}),
    ...components,
  });
  const [old, now] = [all(from), all(to)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .toSorted()
    .map((name) => ({ name, from: old[name] ?? null, to: now[name] ?? null }))
    .filter((entry) => entry.from !== entry.to);
}
