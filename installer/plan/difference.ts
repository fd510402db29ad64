/** What an upgrade changes, for people before they say yes: versions, files, units. Pure. */
import { effectsOf } from "../journal/apply.ts";
import type { Header } from "../journal/journal.ts";
import type { RecordedChange } from "../journal/transaction.ts";
import { startedBy } from "../host/systemd.ts";
import { goalsIn, idsOf, nameOf, of, resourceOf } from "../resources/catalogue.ts";
import type { Change, Plan } from "../resources/resource.ts";

export interface Difference {
  readonly files: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  readonly units: {
    readonly started: readonly string[];
    readonly restarted: readonly string[];
    /** They read their files anew, and what they serve goes on. */
    readonly reloaded: readonly string[];
    readonly stopped: readonly string[];
  };
  /** Settings, images, packages and objects of the older bundle that are given back. */
  readonly givenBack: readonly string[];
  /** Components whose version differs; null: there is none. */
  readonly versions: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[];
}

type Versions = Pick<Header["bundle"], "kubernetes" | "components">;

/** `changes` are those of the plan that will be performed, so that nothing is told that will not happen. */
export function differenceOf(
  plan: Plan,
  recorded: readonly RecordedChange[],
  from: Versions,
  to: Versions,
): Difference {
  const changes = recorded.map(({ change }) => change);
  const gone = new Set(goalsIn(plan).flatMap((goal) => (goal.back === undefined ? [] : [nameOf(goal)])));
  const isGone = (change: Change): boolean => gone.has(nameOf(change));
  const [files, units] = [of("file", changes), of("unit", changes)];
  const paths = (found: readonly Change[]): string[] =>
    idsOf("file", found)
      .map(({ path }) => path)
      .toSorted();
  const brought = files.filter((change) => !isGone(change));
  const told = (verb: string): string[] =>
    units.flatMap(effectsOf).flatMap((effect) => {
      const unit = startedBy(effect);
      return unit !== undefined && effect.do === "systemctl" && effect.verb === verb ? [unit] : [];
    });
  const stopped = units
    .filter(isGone)
    .filter((change) => !effectsOf(change).some((one) => startedBy(one) !== undefined));
  const others = changes.filter(
    (one) => isGone(one) && ![...files, ...units, ...of("directory", changes)].includes(one),
  );
  return {
    files: {
      added: paths(brought.filter(({ before }) => before === null)),
      changed: paths(brought.filter(({ before }) => before !== null)),
      removed: paths(files.filter(isGone)),
    },
    units: {
      started: told("start"),
      restarted: told("restart"),
      reloaded: told("reload"),
      stopped: idsOf("unit", stopped).map(({ name }) => name),
    },
    givenBack: others.map((change) => resourceOf(change).describe(change.id)),
    versions: versions(from, to),
  };
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
    ...units.reloaded.map((name) => `  unit    ~ ${name}, reloaded`),
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
