/** Performs a plan: look at everything, record it, then change the host; after a crash, go on where it stopped. */
import { setImmediate } from "node:timers/promises";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { Host, HostReader } from "../host/host.ts";
import { goalsIn, nameOf, resourceOf } from "../resources/catalogue.ts";
import { around, type Around } from "../resources/hooks.ts";
import { type Change, type Goal, isUnknown, type Phase, type Plan } from "../resources/resource.ts";
import { type Header, type Journal, journalFormat } from "./journal.ts";
import { marked, sameGeneration } from "./generations.ts";
import { sweeping } from "./sweep.ts";
import { nextId, type RecordedChange, type Transaction, transactions } from "./transaction.ts";

/** At what comes about soon, with a pause between two. */
const looks = 100;

/**
 * What is to be done, in order. What is already as wanted is not in it; what grows on a host that `past` has installed was
 * noted before it could. May only look.
 */
export async function inspectPlan(
  host: HostReader,
  plan: Plan,
  past: readonly Transaction[] = [],
): Promise<RecordedChange[]> {
  const noted = notedIn(past);
  const changes: RecordedChange[] = [];
  for (const { name: phase, goals } of plan.phases) {
    for (const goal of goals) {
      if (noted.has(nameOf(goal))) continue;
      const before = await resourceOf(goal).inspect(host, goal.id);
      // With --root there is nobody to be asked, now or later.
      if (isUnknown(before) && !host.live) continue;
      const { resource, id } = goal;
      const earlier = changes.map(({ change }) => change);
      const change = marked({ resource, id, before, after: aim(goal, before) }, earlier);
      if (isSettled(change) && resourceOf(goal).grown === undefined) continue;
      changes.push({ n: changes.length, phase, change });
    }
  }
  return changes;
}

function notedIn(past: readonly Transaction[]): Set<string> {
  const changes = past.filter(({ state }) => state !== "gone").flatMap((one) => one.changes);
  const grown = changes.filter(({ change }) => resourceOf(change).grown !== undefined);
  return new Set(grown.map(({ change }) => nameOf(change)));
}

/** The state that a goal means, of a host that has `now`. Null where nothing could be seen. */
function aim(goal: Goal, now: unknown): unknown {
  if (isUnknown(now)) return null;
  const resource = resourceOf(goal);
  const spec = resource.spec(goal.id, now);
  if (goal.back === undefined) return spec;
  // What somebody changed since is his own.
  return goal.back.always === true || resource.equal(now, spec) ? goal.back.to : now;
}

function isSettled({ resource, before, after }: Change): boolean {
  return !isUnknown(before) && resourceOf({ resource }).equal(before, after);
}

/**
 * What is left of an interrupted transaction, as the host is now: it may have been rebooted since, and then kernel
 * values that were set are no longer. `before` is what is there now. May only look.
 */
export async function resumePlan(host: HostReader, transaction: Transaction): Promise<RecordedChange[]> {
  const left: RecordedChange[] = [];
  const current = currentOf(transaction);
  for (const { n, phase, change } of transaction.changes) {
    const { before, after } = change;
    const swept = n === current ? { sweep: await sweeping(host, change) } : {};
    const resource = resourceOf(change);
    const now = resource.grown === undefined ? await resource.inspect(host, change.id) : before;
    const isDone = transaction.done.has(n);
    if (isUnknown(before) || isUnknown(now)) {
      if (!isDone || !isUnknown(now)) left.push({ n, phase, change, ...swept });
      continue;
    }
    if (!isDone || !resource.equal(now, after)) left.push({ n, phase, change: { ...change, before: now }, ...swept });
  }
  return left;
}

/** Records anew what was never begun and is no longer as it was recorded, so that undo restores what is there now. */
export function recordAnew(journal: Journal, transaction: Transaction, changes: readonly RecordedChange[]): void {
  const { id, done } = transaction;
  const current = currentOf(transaction);
  const anew = changes.flatMap(({ n, phase, change }) => {
    const recorded = transaction.changes.find((one) => one.n === n)?.change;
    if (recorded === undefined || done.has(n) || n === current || isUnknown(recorded.before)) return [];
    if (resourceOf(change).equal(change.before, recorded.before)) return [];
    const before = sameGeneration(change.before, recorded.before);
    return [{ type: "change" as const, id, n, phase, change: { ...change, before } }];
  });
  if (anew.length > 0) journal.append(...anew);
}

/** The change that was under way; undefined when all are done. */
export function currentOf({ changes, done }: Transaction): number | undefined {
  return changes.find(({ n }) => !done.has(n))?.n;
}

/** What apply performs, or of what it cannot see yet that it cannot. */
export type Step =
  | { readonly phase: string; readonly effect: Effect }
  | { readonly phase: string; readonly what: string; readonly unknown: string };

/** The whole list, in the order in which apply performs it: for its dry-run. May only look. */
export async function stepsOf(host: HostReader, { phases }: Plan, changes: readonly RecordedChange[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const phase of phases) {
    const { name } = phase;
    const own = changes.filter((one) => one.phase === name);
    const { before, after, unknown } = await around(
      host,
      phase,
      own.map(({ change }) => change),
    );
    const told = (effects: readonly Effect[]): Step[] => effects.map((effect) => ({ phase: name, effect }));
    const middle = own.flatMap(({ change, sweep = [] }): Step[] =>
      isUnknown(change.before)
        ? [{ phase: name, what: resourceOf(change).describe(change.id), unknown: change.before.unknown }]
        : told([...sweep, ...effectsOf(change)]),
    );
    const later: Step[] = unknown === undefined ? [] : [{ phase: name, ...unknown }];
    steps.push(...told(before), ...later, ...middle, ...told(after));
  }
  return steps;
}

/** The effects of a change of which is known what was there. */
export function effectsOf({ resource, id, before, after }: Change): Effect[] {
  const known = resourceOf({ resource });
  return isUnknown(before) || known.grown !== undefined ? [] : known.steps(id, before, after);
}

/** Records a transaction; from here on it can be resumed and undone. `now` is an ISO time. */
export function begin(
  journal: Journal,
  header: Header,
  plan: Plan,
  changes: readonly RecordedChange[],
  now: string,
): Transaction {
  const id = nextId(journal.read());
  journal.append(
    { type: "begin", id, at: now, format: journalFormat, ...header },
    ...plan.phases.map((phase) => ({ type: "phase" as const, id, phase })),
    ...changes.map(({ n, phase, change }) => ({ type: "change" as const, id, n, phase, change })),
  );
  journal.append({ type: "ready", id, phases: plan.phases.length, changes: changes.length });
  const found = transactions(journal.read()).find((transaction) => transaction.id === id);
  if (found === undefined) throw new Error("the journal does not hold what was just written");
  return found;
}

export interface ApplyOptions {
  readonly host: Host;
  readonly journal: Journal;
  readonly transaction: Transaction;
  /** What {@link inspectPlan} or {@link resumePlan} gave. */
  readonly changes: readonly RecordedChange[];
  /** Told before each effect. */
  readonly onEffect: (effect: Effect, phase: string) => void;
  /** Told of an effect that failed, while the host is still as it left it. */
  readonly onFailed?: (effect: Effect) => Promise<void>;
  /** After each phase: throws when what the phase started is not healthy. */
  readonly gate: (phase: string, gates: readonly string[]) => Promise<void>;
  /** Between two looks at what comes about soon, told what and why. Without it nothing is waited for. */
  readonly pause?: (what: string, why: string) => Promise<void>;
  /** Told of a change that is left for another run, and why. */
  readonly onDeferred?: (what: string, why: string) => void;
  /** Asked between two effects: Ctrl-C. */
  readonly interrupted: () => boolean;
  readonly now: () => Date;
}

/** Performs the changes. Throws what an effect or a gate threw (APPLY_FAILED), or INTERRUPTED. */
export async function apply(options: ApplyOptions): Promise<void> {
  const { host, journal, transaction } = options;
  for (const phase of transaction.phases) {
    const { name, gates } = phase;
    const own = options.changes.filter((one) => one.phase === name);
    const hooks: Around = await around(
      host,
      phase,
      own.map(({ change }) => change),
    );
    await perform(options, name, hooks.before, name);
    for (const planned of own) {
      const change = await seen(options, phase, planned);
      await perform(
        options,
        name,
        [...(planned.sweep ?? []), ...effectsOf(change)],
        resourceOf(change).describe(change.id),
      );
      if (!transaction.done.has(planned.n)) journal.append({ type: "done", id: transaction.id, n: planned.n });
    }
    await perform(options, name, hooks.after, name);
    await options.gate(name, gates);
  }
  journal.append({ type: "commit", id: transaction.id, at: options.now().toISOString() });
}

/**
 * The change with what is there now, recorded anew, where nothing could be seen when it was recorded: only what has been
 * seen is acted on, so that undo knows what to restore. As it is where still nothing can be seen.
 */
async function seen(options: ApplyOptions, phase: Phase, { n, change }: RecordedChange): Promise<Change> {
  if (!isUnknown(change.before)) return change;
  const { journal, transaction } = options;
  const resource = resourceOf(change);
  const what = resource.describe(change.id);
  const before = await lookedAt(options, change);
  if (isUnknown(before)) {
    if (resource.mayWait !== true)
      throw new ExpectedError("APPLY_FAILED", `${what}: ${before.unknown}`, { where: what });
    options.onDeferred?.(what, before.unknown);
    return change;
  }
  const goal = goalsIn({ phases: [phase] }).find((one) => nameOf(one) === nameOf(change));
  const looked = { ...change, before, after: goal === undefined ? before : aim(goal, before) };
  journal.append({ type: "change", id: transaction.id, n, phase: phase.name, change: looked });
  return looked;
}

/** What is there now, after some minutes at most where it comes about soon. */
async function lookedAt({ host, interrupted, pause }: ApplyOptions, change: Change): Promise<unknown> {
  const resource = resourceOf(change);
  for (let left = looks; ; left -= 1) {
    const now = await resource.inspect(host, change.id);
    if (!isUnknown(now) || now.soon !== true || pause === undefined || left === 0) return now;
    await pause(resource.describe(change.id), now.unknown);
    if (interrupted()) throw interruption();
  }
}

async function perform(
  { host, interrupted, onEffect, onFailed }: ApplyOptions,
  phase: string,
  effects: readonly Effect[],
  what: string,
): Promise<void> {
  for (const effect of effects) {
    // Files are changed without a pause; a Ctrl-C is heard only between turns of the event loop.
    await setImmediate();
    if (interrupted()) throw interruption();
    onEffect(effect, phase);
    try {
      await host.perform(effect);
    } catch (error) {
      if (!isExpected(error)) throw error;
      await onFailed?.(effect);
      const { where, expected, found, hint } = error;
      const details = { where, expected, found, hint, cause: error };
      throw new ExpectedError("APPLY_FAILED", `${what}: ${messageOf(error)}`, details);
    }
  }
}

function interruption(): ExpectedError {
  return new ExpectedError("INTERRUPTED", "stopped between two changes; nothing is half done", {
    hint: "./install undo   takes back what was done; the same command again goes on",
  });
}
