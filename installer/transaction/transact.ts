/** One transaction from the operator's yes to its end: stage, record, perform; restore the host where that fails. */
import { setTimeout } from "node:timers/promises";
import type { Bundle, Digest, Platform } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { tellUnitFailure } from "../checks/unit-failure.ts";
import type { Context } from "../context.ts";
import { gate } from "./gate.ts";
import { type PendingHeader, resumable } from "./header.ts";
import { type Installation, refuseChanged } from "./installation.ts";
import type { Host } from "../host/host.ts";
import { startedBy } from "../host/systemd.ts";
import { apply, begin, effectsOf, inspectPlan, recordAnew, resumePlan, stepsOf } from "../journal/apply.ts";
import { keepBundle } from "../journal/kept-bundle.ts";
import { lock } from "../journal/lock.ts";
import { keepInstaller, stageContents } from "../journal/stage.ts";
import { isFull, noSpace } from "../journal/space.ts";
import { clearStage, createState, destroyState, forgetNote, type State } from "../journal/state.ts";
import type { RecordedChange, Transaction } from "../journal/transaction.ts";
import { resourceOf } from "../resources/catalogue.ts";
import { isUnknown, type Plan } from "../resources/resource.ts";
import { tellEffect } from "../plan/print.ts";
import { confirm } from "./confirm.ts";
import { restore } from "./restore.ts";
import { tellAwaited, reportHealth } from "./serving.ts";

export interface ApplyOptions {
  readonly root: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** A failed start leaves what is there instead of restoring the host. */
  readonly noRestore: boolean;
  /** Changes that undo cannot take back may be made. */
  readonly acceptIrreversible?: boolean;
}

export interface Proposal {
  readonly installation: Installation;
  readonly header: PendingHeader;
  readonly plan: Plan;
  /** What is to be done now. */
  readonly changes: readonly RecordedChange[];
  /** The interrupted transaction that goes on; null: a new one. */
  readonly open: Transaction | null;
  /** Where contents come from: `memory`, and the rest from `bundle`. */
  readonly bundle: Pick<Bundle, "extract">;
  /** Whose index and signature stay on the node; null: what it brings is of no bundle, or only certificates. */
  readonly origin: Pick<Bundle, "payloadDigest" | "read" | "source"> | null;
  readonly memory: ReadonlyMap<Digest, Uint8Array>;
}

/** A plan against what is there: the header's interrupted transaction goes on, or a new one begins. May only look. */
export async function lookAt(
  installation: Installation,
  header: PendingHeader,
  plan: Plan,
): Promise<Pick<Proposal, "installation" | "header" | "plan" | "open" | "changes">> {
  const { host, past } = installation;
  const open = resumable(past, header);
  const changes = open === null ? await inspectPlan(host, plan, past) : await resumePlan(host, open);
  return { installation, header, plan, open, changes };
}

/** Asks, then does it. With `dryRun` prints every step instead. NOT_CONFIRMED, LOCKED, NO_SPACE, APPLY_FAILED… */
export async function transact(proposal: Proposal, options: ApplyOptions, context: Context): Promise<void> {
  const { installation, header, plan, changes, open, bundle, memory, origin } = proposal;
  const { root, host, state, past, records } = installation;
  tellIrreversible(changes, options, context);
  if (options.dryRun) return printSteps(proposal, context);
  const count = changes.flatMap(({ change }) => effectsOf(change)).length;
  context.reporter.stage("plan", `${changes.length} changes in ${count} steps`);
  if (!options.yes && root === "/") await confirm("Change this host now?", context);
  const { made, unlock } = await enter(root, state, past, context);
  try {
    refuseChanged(state, records);
    const transaction = await roomOrNothing(root, state, past, made, async () => {
      state.reserve.fill();
      await stage(bundle, state, memory, changes, { context, platform: header.platform, origin });
      const begun = open ?? begin(state.journal, { ...header, made }, plan, changes, context.now().toISOString());
      forgetNote(root);
      recordAnew(state.journal, begun, changes);
      return begun;
    });
    await perform({ host, state, transaction, changes, context, options, fresh: open === null });
  } finally {
    unlock();
  }
}

/** Makes the state folder and takes its lock. `made`: ancestors that had to be made for it. */
function enter(
  root: string,
  state: State,
  past: readonly Transaction[],
  context: Context,
): Promise<{ made: readonly string[]; unlock: () => void }> {
  return roomOrNothing(root, state, past, [], () => {
    const made = createState(root);
    return { made, unlock: lock(state.folder, context.command, context.now()) };
  });
}

/** What goes before the first change. NO_SPACE where a disk fills up here, and nothing is left behind. */
async function roomOrNothing<Result>(
  root: string,
  { folder }: State,
  past: readonly Transaction[],
  made: readonly string[],
  act: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    // What lies there is then another installation's.
    if (isExpected(error, "LOCKED")) throw error;
    if (past.length > 0) clearStage(root);
    else destroyState(root, made);
    throw isFull(error) ? noSpace(folder, "there is no room for the bundle's files", error) : error;
  }
}

/** What undo cannot take back is said in the plan, and done only when it is asked for. */
function tellIrreversible(changes: readonly RecordedChange[], options: ApplyOptions, { reporter }: Context): void {
  const reasons = changes.flatMap(({ change }) => {
    const { id, before, after } = change;
    return isUnknown(before) ? [] : (resourceOf(change).irreversible?.(id, before, after) ?? []);
  });
  for (const why of reasons) reporter.warn(`irreversible: ${why}`);
  if (reasons.length === 0 || options.dryRun || options.acceptIrreversible === true) return;
  throw new ExpectedError(
    "PREFLIGHT",
    `not everything could be taken back: ${reasons.join("; ")}; nothing was changed`,
    {
      hint: "if that is well: ./install … --accept-irreversible",
    },
  );
}

async function printSteps({ installation, plan, changes, open }: Proposal, { reporter }: Context): Promise<void> {
  const steps = await stepsOf(installation.host, open ?? plan, changes);
  const effects = steps.filter((step) => "effect" in step);
  const unknown = steps.length - effects.length;
  const more = unknown === 0 ? "" : `, and ${unknown} that cannot be looked at yet`;
  reporter.stage("plan", `${changes.length} changes in ${effects.length} steps${more}; nothing was changed`);
  for (const step of steps) {
    if ("effect" in step) {
      tellEffect(step.effect, step.phase, reporter);
    } else {
      reporter.record("unknown", { ...step });
      reporter.info(`  unknown   ${step.what}: decided when it can be looked at (${step.unknown})`);
    }
  }
}

interface StageOptions {
  readonly context: Context;
  readonly platform: Platform;
  readonly origin: Proposal["origin"];
}

/** Contents and the installer itself. */
async function stage(
  bundle: Pick<Bundle, "extract">,
  state: State,
  memory: ReadonlyMap<Digest, Uint8Array>,
  changes: readonly RecordedChange[],
  { context, platform, origin }: StageOptions,
): Promise<void> {
  const requested = new Set<Digest>();
  for (const effect of changes.flatMap(({ change }) => effectsOf(change))) {
    if (effect.do === "write" && "digest" in effect.content) requested.add(effect.content.digest);
  }
  context.reporter.stage("stage", `${requested.size} contents`);
  if (context.executable !== null) await keepInstaller(context.executable, state.folder);
  if (origin !== null) await keepBundle(origin, state.folder);
  await stageContents(bundle, state.contents.stage, requested, memory, { platform, signal: context.signal });
}

interface PerformOptions {
  readonly host: Host;
  readonly state: State;
  readonly transaction: Transaction;
  readonly changes: readonly RecordedChange[];
  readonly context: Context;
  readonly options: ApplyOptions;
  /** Not one that was begun earlier and goes on. */
  readonly fresh: boolean;
}

/** Tells once what is waited for, and looks often for ten seconds. An interruption ends the pause, and apply hears of it next. */
function pauses({ reporter, signal }: Context): (what: string, why: string) => Promise<void> {
  const looks = new Map<string, number>();
  return async (what, why) => {
    const count = (looks.get(what) ?? 0) + 1;
    if (count === 1) reporter.stage("waits", `with ${what}: ${why}`);
    looks.set(what, count);
    await setTimeout(count <= 20 ? 500 : 3000, undefined, { signal }).catch(() => undefined);
  };
}

async function perform({ host, state, transaction, changes, context, options, fresh }: PerformOptions): Promise<void> {
  const { reporter } = context;
  const { journal } = state;
  reporter.stage("apply", `transaction ${transaction.id}${transaction.done.size > 0 ? ", continued" : ""}`);
  try {
    await apply({
      host,
      journal,
      transaction,
      changes,
      onEffect: (effect, phase) => tellEffect(effect, phase, reporter),
      pause: pauses(context),
      onDeferred(what, why) {
        reporter.record("deferred", { what, why });
        reporter.warn(
          `${what} is left for another run: ${why}; when that is fixed, run this again: ${context.command}`,
        );
      },
      async onFailed(effect) {
        const unit = startedBy(effect);
        if (unit !== undefined) await tellUnitFailure(host, unit, reporter);
      },
      gate: gate(host, transaction.header, context),
      interrupted: () => context.signal.aborted,
      now: context.now,
    });
  } catch (error) {
    if (isExpected(error, "INTERRUPTED") || isAbort(error) || options.noRestore) throw error;
    const failure = await restore(options.root, host, state, { error, fresh }, context);
    await reportHealth(host, state, context);
    throw failure;
  }
  clearStage(options.root);
  if (transaction.header.started !== false) await tellAwaited(host, transaction.header, reporter);
  reporter.stage("done", `this node is ${transaction.header.node.name}: ${transaction.header.roles.join(", ")}`);
  if (transaction.header.started === false) {
    reporter.info("Units are enabled and not started: the same ./install without --no-start, or the next boot, does.");
  }
  reporter.record("result", { transaction: transaction.id, changes: transaction.changes.length });
}

/** A Ctrl-C while a gate waited. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
