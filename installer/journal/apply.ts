/** Performs a plan: look at everything, record it, then change the host; after a crash, go on where it stopped. */
import { setImmediate } from "node:timers/promises";
import { ExpectedError, isExpected, messageOf } from "#kit/errors";
import type { Effect } from "../host/effect.ts";
import type { Host, HostReader } from "../host/host.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { Change, Plan } from "../operations/operation.ts";
import type { Header, Journal } from "./journal.ts";
import { nextId, type RecordedChange, type Transaction, transactions } from "./transaction.ts";

/**
 * What is to be done, in order. What is already as wanted is not in it; what grows on a host that `past` has installed was
 * noted before it could. May only look.
 */
export async function inspectPlan(
  host: HostReader,
  plan: Plan,
  past: readonly Transaction[] = [],
): Promise<RecordedChange[]> {
  const noted = notedOf(past);
  const changes: RecordedChange[] = [];
  for (const { name: phase, operations } of plan.phases) {
    for (const operation of operations) {
      const kind = kindOf(operation);
      if (kind.grown !== undefined && noted.has(kind.resource(operation.spec))) continue;
      const before = await kind.inspect(host, operation.spec);
      if (kind.grown === undefined && kind.forward(operation.spec, before).length === 0) continue;
      changes.push({ n: changes.length, phase, change: { ...operation, before } });
    }
  }
  return changes;
}

function notedOf(past: readonly Transaction[]): Set<string> {
  const changes = past.filter(({ state }) => state !== "gone").flatMap((one) => one.changes);
  return new Set(
    changes.flatMap(({ change }) => (kindOf(change).grown === undefined ? [] : [kindOf(change).resource(change.spec)])),
  );
}

/**
 * What is left of an interrupted transaction, as the host is now: it may have been rebooted since, and then kernel
 * values that were set are no longer. May only look.
 */
export async function resumePlan(host: HostReader, transaction: Transaction): Promise<RecordedChange[]> {
  const left: RecordedChange[] = [];
  const current = currentOf(transaction);
  for (const { n, phase, change } of transaction.changes) {
    const kind = kindOf(change);
    const now = await kind.inspect(host, change.spec);
    const done = transaction.done.has(n);
    const begun = n === current;
    const resumed = kind.resume?.(change.before, now, begun) ?? (begun ? change.before : now);
    const before = done ? now : resumed;
    if (!done || kind.forward(change.spec, now).length > 0) left.push({ n, phase, change: { ...change, before } });
  }
  return left;
}

/** Records anew what was never begun and is no longer as it was recorded, so that undo restores what is there now. */
export function recordAnew(journal: Journal, transaction: Transaction, changes: readonly RecordedChange[]): void {
  const recorded = new Map(transaction.changes.map(({ n, change }) => [n, JSON.stringify(change.before)]));
  const current = currentOf(transaction);
  const { id, done } = transaction;
  const anew = changes.filter(
    ({ n, change }) => !done.has(n) && n !== current && recorded.get(n) !== JSON.stringify(change.before),
  );
  if (anew.length > 0) journal.append(...anew.map((change) => ({ type: "change" as const, id, ...change })));
}

/** The change that was under way; undefined when all are done. */
function currentOf({ changes, done }: Transaction): number | undefined {
  return changes.find(({ n }) => !done.has(n))?.n;
}

/** The effects of a change, in the order in which apply performs them. */
export function effectsOf(change: Change): Effect[] {
  return kindOf(change).forward(change.spec, change.before);
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
    { type: "begin", id, at: now, ...header },
    ...plan.phases.map((phase) => ({ type: "phase" as const, id, phase })),
    ...changes.map((change) => ({ type: "change" as const, id, ...change })),
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
  /** Told of a change that is left for another run, and why. */
  readonly onDeferred?: (what: string, why: string) => void;
  /** Asked between two effects: Ctrl-C. */
  readonly interrupted: () => boolean;
  readonly now: () => Date;
}

/** Performs the changes. Throws what an effect or a gate threw (APPLY_FAILED), or INTERRUPTED. */
export async function apply(options: ApplyOptions): Promise<void> {
  const { journal, transaction } = options;
  for (const { name, gates } of transaction.phases) {
    for (const wanted of options.changes.filter(({ phase }) => phase === name)) {
      const { n } = wanted;
      const change = await seen(options, wanted);
      const effects = change === null ? [] : effectsOf(change);
      for (const effect of effects) {
        // Files are changed without a pause; a Ctrl-C is heard only between turns of the event loop.
        await setImmediate();
        if (options.interrupted()) throw interruption();
        options.onEffect(effect, name);
        await perform(options, wanted.change, effect);
      }
      if (!transaction.done.has(n)) journal.append({ type: "done", id: transaction.id, n });
    }
    await options.gate(name, gates);
  }
  journal.append({ type: "commit", id: transaction.id, at: options.now().toISOString() });
}

/**
 * The change with what is there now, recorded anew, where nothing could be seen when it was recorded: only what has been
 * seen is acted on, so that undo knows what to restore. Null: nothing can be seen yet.
 */
async function seen(options: ApplyOptions, { n, phase, change }: RecordedChange): Promise<Change | null> {
  const { host, journal, transaction } = options;
  const kind = kindOf(change);
  const recorded = transaction.changes.find((one) => one.n === n)?.change.before;
  if ((kind.unseen?.(recorded) ?? null) === null) return change;
  const looked = { ...change, before: await kind.inspect(host, change.spec) };
  const why = kind.unseen?.(looked.before) ?? null;
  if (why === null) journal.append({ type: "change", id: transaction.id, n, phase, change: looked });
  else options.onDeferred?.(kind.describe(change.spec), why);
  return why === null ? looked : null;
}

async function perform({ host, onFailed }: ApplyOptions, change: Change, effect: Effect): Promise<void> {
  try {
    await host.perform(effect);
  } catch (error) {
    if (!isExpected(error)) throw error;
    await onFailed?.(effect);
    throw new ExpectedError("APPLY_FAILED", `${kindOf(change).describe(change.spec)}: ${messageOf(error)}`, {
      where: error.where,
      wanted: error.wanted,
      found: error.found,
      hint: error.hint,
      cause: error,
    });
  }
}

function interruption(): ExpectedError {
  return new ExpectedError("INTERRUPTED", "stopped between two changes; nothing is half done", {
    hint: "./install undo   takes back what was done; the same command again goes on",
  });
}
