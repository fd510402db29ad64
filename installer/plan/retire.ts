/** A newer bundle over an older one: what the older one brought and the newer one no longer has goes. Pure. */
import type { Digest, Role } from "#bundle";
import { bringsSoftware, foldGoals, isReplaced, onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { goalsIn, nameOf, resourceOf } from "../resources/catalogue.ts";
import { droppedPackages } from "../resources/package.ts";
import { formerObjects } from "./former-objects.ts";
import {
  type Change,
  type Goal,
  isUnknown,
  type Phase,
  type Plan,
  type RetirePhase,
  retirePhases,
  type Still,
} from "../resources/resource.ts";

export interface RetireInput {
  readonly planned: Plan;
  readonly past: readonly Transaction[];
  readonly payload: Digest;
  readonly roles: readonly Role[];
  readonly live: boolean;
  /** False with `--no-start`: then nobody plans what is of daemons, and none of it goes. */
  readonly starts?: boolean;
  /** Objects of the newer bundle's manifests. Default: none of them is known, and none goes out of a manifest that stays. */
  readonly objects?: Still["objects"];
}

/**
 * The plan with, before it, the end of units that are no more and, after it, that of settings, files and directories:
 * what the older daemons read stays until the newer ones serve. Where some roles of the older bundle stay, nothing goes yet.
 */
export function withRetirement(input: RetireInput): Plan {
  const { past, starts = true } = input;
  const kept = stillPlanned(input);
  const names = new Set(kept.map(nameOf));
  const still = { goals: kept, objects: input.objects ?? new Map<string, string>() };
  const originals = originalsOf(past);
  const retired = new Map<RetirePhase, Goal[]>(retirePhases.map((phase) => [phase, []]));
  // What was done last goes first.
  for (const [name, goal] of [...foldGoals(onHost(past))].toReversed()) {
    const before = originals.get(name)?.before;
    if (before === undefined || names.has(name) || isUnknown(before)) continue;
    const resource = resourceOf(goal);
    const phase = resource.retires === undefined ? "give back" : resource.retires(goal.id, before);
    const to = resource.givesBack === undefined ? before : resource.givesBack(goal.id, before, still);
    if (phase === null || to === undefined || (resource.ofDaemon === true && !starts)) continue;
    retired.get(phase)?.push({ ...goal, back: { to, ...(isKept(phase) ? { always: true } : {}) } });
  }
  const changes = onHost(past).flatMap((one) => one.changes.map(({ change }) => change));
  retired.get("give back")?.push(...droppedPackages(changes, kept));
  if (starts) retired.get("give back")?.push(...formerObjects(past, { ...still, goals: goalsIn(input.planned) }));
  const phases = retirePhases.map((name): Phase => ({
    name,
    goals: retired.get(name)?.toSorted(inTurn) ?? [],
    gates: [],
  }));
  const isEmpty = ({ goals, gates, hooks }: Phase): boolean => goals.length + gates.length + (hooks?.length ?? 0) === 0;
  return {
    phases: [...phases.slice(0, 1), ...input.planned.phases, ...phases.slice(1)].filter((phase) => !isEmpty(phase)),
  };
}

/** Files come back with rollback just as somebody had changed them; a changed setting is his own. */
function isKept(phase: RetirePhase): boolean {
  return phase !== "give back" && phase !== "restart";
}

/** Units after the files that they read, directories after what is in them; the others as they are. */
function inTurn(a: Goal, b: Goal): number {
  const reads = (one: Goal): number => (resourceOf(one).reads === undefined ? 0 : 1);
  const depth = (one: Goal): number => (nameOf(one).startsWith("/") ? nameOf(one).split("/").length : 0);
  return reads(a) - reads(b) || depth(b) - depth(a);
}

/** What this transaction wants, and those that stay. */
function stillPlanned({ planned, past, payload, roles }: RetireInput): Goal[] {
  const present = onHost(past);
  const same = present.filter(({ header }) => header.bundle.payload === payload);
  const covered = [...roles, ...same.flatMap(({ header }) => header.roles)];
  const staying = present.filter(
    (one) => bringsSoftware(one.header) && !isReplaced(one, payload, covered) && !same.includes(one),
  );
  return [...foldGoals(staying).values(), ...foldGoals(same).values(), ...goalsIn(planned)];
}

/** By name, the first change since it was last given back: its `before` is the host's own. */
function originalsOf(past: readonly Transaction[]): Map<string, Change> {
  const originals = new Map<string, Change>();
  for (const transaction of onHost(past)) {
    const back = new Set(goalsIn(transaction).flatMap((goal) => (goal.back === undefined ? [] : [nameOf(goal)])));
    for (const { change } of transaction.changes) {
      const name = nameOf(change);
      if (!back.has(name) && !originals.has(name)) originals.set(name, change);
    }
    for (const name of back) originals.delete(name);
  }
  return originals;
}
