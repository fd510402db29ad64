/** A newer bundle over an older one: what the older one brought and the newer one no longer has goes. Pure. */
import type { Digest, Role } from "#bundle";
import { foldOperations, isReplaced, onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import type { AbsentUnitSpec } from "../operations/absent.ts";
import { kindOf, operation } from "../operations/catalogue.ts";
import type { DirectorySpec } from "../operations/directory.ts";
import type { FileBefore, FileSpec } from "../operations/file.ts";
import type { Change, Operation, Phase, Plan } from "../operations/operation.ts";
import type { UnitSpec } from "../operations/unit.ts";
import { giveBack, giveBackUnit } from "./give-back.ts";

export interface RetireInput {
  readonly planned: Plan;
  readonly past: readonly Transaction[];
  readonly payload: Digest;
  readonly roles: readonly Role[];
  readonly live: boolean;
  /** False with `--no-start`. */
  readonly starts?: boolean;
  /** Objects of the newer bundle's manifests, by their keys. */
  readonly objects?: ReadonlySet<string>;
}

/**
 * The plan with, before it, the end of units that are no more and, after it, that of settings, files and directories:
 * what the older daemons read stays until the newer ones serve. Where some roles of the older bundle stay, nothing goes yet.
 */
export function withRetirement(input: RetireInput): Plan {
  const { live, starts = true, objects = new Set() } = input;
  const originals = originalsOf(input.past);
  const wanted = stillWanted(input);
  const gone = obsolete(input.past, wanted, originals);
  const installed = [...foldOperations(onHost(input.past)).values()];
  const ownFiles = new Set(installed.flatMap(({ kind, spec }) => (kind === "file" ? [(spec as FileSpec).path] : [])));
  const isOwn = (spec: unknown): boolean => ownFiles.has((spec as UnitSpec).file);
  const units = gone.filter(({ kind, spec }) => kind === "unit" && isOwn(spec)).map(({ spec }) => spec as UnitSpec);
  const unitFiles = new Set(units.map(({ file }) => file));
  const files = gone.flatMap(({ kind, spec }) => (kind === "file" ? [(spec as FileSpec).path] : []));
  const directories = gone.flatMap(({ kind, spec }) => (kind === "directory" ? [(spec as DirectorySpec).path] : []));
  const original = (path: string): FileBefore => (originals.get(path)?.before ?? null) as FileBefore;
  const phases: [name: string, operations: Operation[]][] = [
    // Newest order first: what was started last ends first.
    [
      "stop",
      units
        .toReversed()
        .map(({ name, file, links }) =>
          operation("absent-unit", { name, file, links, live, original: original(file) }),
        ),
    ],
    [
      "give back",
      giveBack({
        gone: gone.toReversed(),
        changes: onHost(input.past).flatMap(({ changes }) => changes.map(({ change }) => change)),
        wanted,
        installed,
        objects,
        live,
        starts,
      }),
    ],
    [
      "remove",
      files
        .filter((path) => !unitFiles.has(path))
        .toSorted()
        .map((path) => operation("absent-file", { path, original: original(path) })),
    ],
    ["restart", gone.filter(({ kind, spec }) => kind === "unit" && !isOwn(spec)).map((one) => giveBackUnit(one, live))],
    ["clear", directories.toSorted(byDepth).map((path) => operation("absent-directory", { path }))],
  ];
  const named = phases.map(([name, operations]): Phase => ({ name, operations, gates: [] }));
  return {
    phases: [...named.slice(0, 1), ...input.planned.phases, ...named.slice(1)].filter((phase) => !isEmpty(phase)),
  };
}

/** What this transaction wants, and those that stay. */
function stillWanted({ planned, past, payload, roles }: RetireInput): Operation[] {
  const present = onHost(past);
  const same = present.filter(({ header }) => header.bundle.payload === payload);
  const covered = [...roles, ...same.flatMap(({ header }) => header.roles)];
  const staying = present.filter(
    (one) => one.header.action !== "renew" && !isReplaced(one, payload, covered) && !same.includes(one),
  );
  const planning = planned.phases.flatMap(({ operations }) => operations);
  return [...foldOperations(staying).values(), ...foldOperations(same).values(), ...planning];
}

/** What is wanted no more, as it was last wanted and with what was there before it. Only what transactions made. */
function obsolete(
  past: readonly Transaction[],
  wanted: readonly Operation[],
  originals: ReadonlyMap<string, Change>,
): Change[] {
  const resources = new Set(wanted.map((one) => kindOf(one).resource(one.spec)));
  return [...foldOperations(onHost(past))].flatMap(([resource, found]) => {
    const made = originals.get(resource);
    if (made === undefined || resources.has(resource)) return [];
    // A directory that was there before us only got another mode.
    if (found.kind === "directory" && made.before !== null) return [];
    return [{ ...found, before: made.before }];
  });
}

/** By resource, the first change since it was last given back: its `before` is the host's own. */
function originalsOf(past: readonly Transaction[]): Map<string, Change> {
  const originals = new Map<string, Change>();
  for (const { changes, phases } of onHost(past)) {
    for (const { change } of changes) {
      const resource = kindOf(change).resource(change.spec);
      if (!change.kind.startsWith("absent-") && !originals.has(resource)) originals.set(resource, change);
    }
    for (const { kind, spec } of phases.flatMap(({ operations }) => operations)) {
      if (kind.startsWith("absent-")) originals.delete(kindOf({ kind, spec }).resource(spec));
      if (kind === "absent-unit") originals.delete((spec as AbsentUnitSpec).file);
    }
  }
  return originals;
}

function isEmpty({ operations, gates }: Phase): boolean {
  return operations.length === 0 && gates.length === 0;
}

/** Deepest first. */
function byDepth(a: string, b: string): number {
  return b.split("/").length - a.split("/").length || (a < b ? -1 : 1);
}
