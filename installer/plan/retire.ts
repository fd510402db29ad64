/** A newer bundle over an older one: what the older one brought and the newer one no longer has goes. Pure. */
import type { Digest, Role } from "#bundle";
import { foldOperations, isReplaced, onHost } from "../journal/installed.ts";
import type { RecordedChange, Transaction } from "../journal/transaction.ts";
import { kindOf, operation } from "../operations/catalogue.ts";
import type { DirectorySpec } from "../operations/directory.ts";
import type { FileBefore, FileSpec } from "../operations/file.ts";
import type { Operation, Phase, Plan } from "../operations/operation.ts";
import type { UnitSpec } from "../operations/unit.ts";

export interface RetireInput {
  readonly planned: Plan;
  readonly past: readonly Transaction[];
  readonly payload: Digest;
  readonly roles: readonly Role[];
  readonly live: boolean;
}

/**
 * The plan with, before it, the end of units that are no more and, after it, that of files and directories: what the
 * older daemons read stays until the newer ones serve. Where some roles of the older bundle stay, nothing goes yet.
 */
export function withRetirement(input: RetireInput): Plan {
  const gone = obsolete(input);
  const installed = foldOperations(onHost(input.past));
  const units = gone
    .filter(({ kind }) => kind === "unit")
    .map(({ spec }) => spec as UnitSpec)
    // A unit of the host's own (its time daemon) stays as it is until undo.
    .filter(({ file }) => installed.get(file)?.kind === "file");
  const unitFiles = new Set(units.map(({ file }) => file));
  const files = gone.flatMap(({ kind, spec }) => (kind === "file" ? [(spec as FileSpec).path] : []));
  const directories = gone.flatMap(({ kind, spec }) => (kind === "directory" ? [(spec as DirectorySpec).path] : []));
  const originals = originalsOf(input.past);
  const original = (path: string): FileBefore => originals.get(path) ?? null;
  const ends: Phase = {
    name: "stop",
    // Newest order first: what was started last ends first.
    operations: units
      .toReversed()
      .map(({ name, file, links }) =>
        operation("absent-unit", { name, file, links, live: input.live, original: original(file) }),
      ),
    gates: [],
  };
  const rest: Phase = {
    name: "remove",
    operations: [
      ...files
        .filter((path) => !unitFiles.has(path))
        .toSorted()
        .map((path) => operation("absent-file", { path, original: original(path) })),
      ...directories.toSorted(byDepth).map((path) => operation("absent-directory", { path })),
    ],
    gates: [],
  };
  return { phases: [ends, ...input.planned.phases, rest].filter((phase) => !isEmpty(phase)) };
}

/** What transactions that this one replaces brought, and neither it nor one that stays wants. Only what they made. */
function obsolete({ planned, past, payload, roles }: RetireInput): Operation[] {
  const present = onHost(past);
  const same = present.filter(({ header }) => header.bundle.payload === payload);
  const covered = [...roles, ...same.flatMap(({ header }) => header.roles)];
  const staying = present.filter(
    (one) => one.header.action !== "renew" && !isReplaced(one, payload, covered) && !same.includes(one),
  );
  const wanted = new Set([
    ...foldOperations(staying).keys(),
    ...foldOperations(same).keys(),
    ...planned.phases.flatMap(({ operations }) => operations).map((one) => kindOf(one).resource(one.spec)),
  ]);
  const made = new Set(
    present
      .flatMap(({ changes }) => changes)
      // A directory that was there before us only got another mode.
      .filter(({ change }) => change.kind !== "directory" || change.before === null)
      .map(({ change }) => kindOf(change).resource(change.spec)),
  );
  return [...foldOperations(present)]
    .filter(([resource]) => made.has(resource) && !wanted.has(resource))
    .map(([, found]) => found);
}

/** What was at a path before any transaction that is on the host put its file there. */
function originalsOf(past: readonly Transaction[]): Map<string, FileBefore> {
  const originals = new Map<string, FileBefore>();
  const files = onHost(past)
    .flatMap(({ changes }) => changes)
    .filter(({ change }: RecordedChange) => change.kind === "file");
  for (const { change } of files) {
    const { path } = change.spec as FileSpec;
    if (!originals.has(path)) originals.set(path, change.before as FileBefore);
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
