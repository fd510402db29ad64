/** Taking back: a failed apply by itself, `undo` and `rollback` on request. */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import { Exit } from "#cli/run";
import { explainedBySystem } from "#cli/system-error";
import { version } from "#cli/version";
import { drain } from "../cluster/drain.ts";
import type { Context } from "../context.ts";
import type { Host } from "../host/host.ts";
import { handOver } from "../host/local.ts";
import type { Journal, JournalRecord } from "../journal/journal.ts";
import { lock } from "../journal/lock.ts";
import { isFull, noSpace } from "../journal/space.ts";
import { clearStage, destroyState, type State, stateExists, stateOf } from "../journal/state.ts";
import { type Transaction, transactions } from "../journal/transaction.ts";
import { undo, undoEffects, type UndoOptions, type UndoReport } from "../journal/undo.ts";
import { resourceOf } from "../resources/catalogue.ts";
import type { OtherNodes } from "../resources/resource.ts";
import { reportHealth } from "./serving.ts";
import { tellEffect } from "../plan/print.ts";
import { confirm } from "./confirm.ts";
import { tellLeaving } from "./leaving.ts";
import { hostOf, refuseChanged } from "./installation.ts";

/**
 * Undoes the last transaction after `error`, and gives the error to end with: restored (7) or not (8). `fresh`: that was its
 * first run, and not one that went on after an interruption.
 */
export async function restore(
  root: string,
  host: Host,
  state: State,
  { error, fresh }: { readonly error: unknown; readonly fresh: boolean },
  context: Context,
): Promise<unknown> {
  const { reporter } = context;
  reporter.stage("restore", `because of: ${messageOf(error)}`);
  const present = transactions(state.journal.read()).filter((one) => one.state !== "gone");
  const failed = present.at(-1);
  if (failed === undefined) return error;
  // What a first installation brought into the cluster serves its other masters as well; what an upgrade changed there goes back.
  const others = present.length === 1 ? failed.header.others : undefined;
  // Nobody was told of an installation that failed in its very first run: what its daemons wrote is nobody's.
  const deleteData = fresh && !(await hasJoined(host, failed));
  const { problems, left } = await takeBackAll([failed], { root, host, state, deleteData, others }, context);
  const told = explainedBySystem(error);
  if (!isExpected(told)) return error;
  const restored = left.length === 0 ? "the host is as it was" : "the host is as it was, but for what stays";
  const [code, end] =
    problems.length === 0
      ? (["APPLY_FAILED_RESTORED", restored] as const)
      : (["APPLY_FAILED", "and not everything could be taken back: ./install undo"] as const);
  const { where, expected, found, hint } = told;
  return new ExpectedError(code, `${told.message}; ${end}`, { where, expected, found, hint, cause: error });
}

/** Whether etcd's other members count on this one: they would not let it in again without its data. */
async function hasJoined(host: Host, { header }: Transaction): Promise<boolean> {
  if (header.alone || !host.live) return false;
  for (const { unit, argv, environment, timeoutSeconds } of header.checks) {
    if (unit !== "etcd.service" && unit !== "etcd") continue;
    if ((await host.query(argv, { environment, timeoutSeconds })).code === 0) return true;
  }
  return false;
}

export interface UndoRequest {
  readonly root: string;
  /** `last`: only the newest transaction. */
  readonly which: "all" | "last";
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly deleteData: boolean;
  /** The cluster is asked first to run this node's pods elsewhere. */
  readonly drain: boolean;
}

/** `./install undo` and `rollback`. USAGE for a rollback of the first installation; UNDO_INCOMPLETE names all that could not be taken back. */
export async function takeBackOnRequest(request: UndoRequest, context: Context): Promise<void> {
  const { root } = request;
  const { reporter } = context;
  if (!stateExists(root)) {
    reporter.info("Nothing is installed here; nothing to undo.");
    return;
  }
  const state = stateOf(root);
  const records = state.journal.read();
  await handOverToKept(records, state, context);
  const host = hostOf(root);
  const present = transactions(records).filter(({ state: how }) => how !== "gone");
  if (request.which === "last" && present.length === 1) throw onlyUndo(present);
  const chosen = present.toReversed().slice(0, request.which === "last" ? 1 : undefined);
  // A rollback brings the cluster's objects back as well: the newer bundle came by this host.
  const others = request.which === "all" ? chosen[0]?.header.others : undefined;
  reporter.stage(
    "undo",
    chosen.map(({ id, header }) => `${id} (${header.roles.join(", ")})`).join(", ") || "what was left",
  );
  if (others !== undefined) await tellLeaving(host, chosen, others, context);
  if (request.dryRun) {
    await drainFirst(chosen, request, context);
    return printUndo(chosen, { ...request, others }, context);
  }
  if (!request.yes && root === "/" && chosen.length > 0)
    await confirm(`Take ${chosen.length === 1 ? "this" : "these"} back now?`, context);
  await drainFirst(chosen, request, context);
  // Of an undo that was cut off at its very end, only a note may be left.
  const unlock = existsSync(state.folder) ? lockForUndo(state, context) : () => {};
  let problems: UndoReport["problems"];
  try {
    refuseChanged(state, records);
    ({ problems } = await takeBackAll(chosen, { root, host, state, deleteData: request.deleteData, others }, context));
  } finally {
    unlock();
  }
  if (problems.length === 0) {
    await reportHealth(host, state, context);
    return reporter.stage("done", "taken back");
  }
  throw new ExpectedError("UNDO_INCOMPLETE", problems.map(({ what, why }) => `${what}: ${why}`).join("\n       "), {
    hint: "fix what is named above, then: ./install undo",
  });
}

async function drainFirst(chosen: readonly Transaction[], request: UndoRequest, context: Context): Promise<void> {
  const { root, dryRun } = request;
  const worker = chosen.find(({ header }) => header.roles.includes("worker") && header.live);
  if (!request.drain || root !== "/") return;
  if (worker === undefined) return context.reporter.info("No worker is taken back; there is nothing to drain.");
  await drain(hostOf(root), { node: worker.header.node.name, dryRun }, context);
}

/** Behind a first installation there is nothing to roll back to. */
function onlyUndo([first]: readonly Transaction[]): ExpectedError {
  const message = "this is the first installation: there is no earlier one to go back to, and nothing was changed";
  const where = `transaction ${first?.id} of ${first?.at}: ${first?.header.command}`;
  return new ExpectedError("USAGE", message, { where, hint: "./install undo   makes the host what it was before" });
}

/** Undo is done by the installer that made the changes, of which a copy lies beside the journal. */
async function handOverToKept(records: readonly JournalRecord[], state: State, context: Context): Promise<void> {
  const kept = join(state.folder, "install");
  const made = records.findLast((record) => record.type === "begin")?.installer;
  const { executable, argv } = context;
  if (executable === null || made === undefined || made === version() || !existsSync(kept)) return;
  if (realpathSync(executable) === realpathSync(kept)) return;
  context.reporter.info(`Kubeferry ${made}, which installed this, takes it back.`);
  throw new Exit(await handOver([kept, ...argv]));
}

async function printUndo(
  chosen: readonly Transaction[],
  request: UndoRequest & Pick<UndoOptions, "others">,
  { reporter }: Context,
): Promise<void> {
  for (const effect of await undoEffects(hostOf(request.root), chosen, request)) {
    tellEffect(effect, "undo", reporter);
  }
  if (chosen.some(({ changes }) => changes.some(({ change }) => resourceOf(change).grown !== undefined))) {
    reporter.info(
      "Daemons run until then: what pods, mounts and rules there are is looked at again when their turn comes.",
    );
  }
}

/** Also where not a byte is free. */
function lockForUndo({ folder, reserve }: State, context: Context): () => void {
  try {
    return reserve.record(() => lock(folder, context.command, context.now()));
  } catch (error) {
    throw isFull(error) ? noSpace(folder, "there is not even room for a lock; nothing was taken back", error) : error;
  }
}

type TakenBack = Pick<UndoReport, "problems" | "left">;

interface TakeBackOptions {
  readonly root: string;
  readonly host: Host;
  readonly state: State;
  readonly deleteData: boolean;
  readonly others?: OtherNodes | undefined;
}

/** Newest first, with the room that is kept for it; then goes what is of no more use. Gives what could not be taken back. */
async function takeBackAll(
  chosen: readonly Transaction[],
  { root, host, state, deleteData, others }: TakeBackOptions,
  context: Context,
): Promise<TakenBack> {
  const spent = state.reserve.spentBy(host, state.journal);
  const left: string[] = [];
  try {
    for (const [place, transaction] of chosen.entries()) {
      const following = chosen.slice(place + 1);
      const report = await takeBack(spent, { transaction, following, deleteData, others }, context);
      // An older transaction must not be taken back below one that is still there.
      left.push(...report.left);
      if (report.problems.length > 0) return { problems: report.problems, left };
    }
    clearStage(root);
    forgetIfEmpty(root, state);
    return { problems: [], left };
  } catch (error) {
    if (!isFull(error)) throw error;
    const problem = { what: `NO_SPACE in ${state.folder}`, why: `${messageOf(error)}; see df -h and df -i` };
    return { problems: [problem], left };
  }
}

async function takeBack(
  { host, journal }: { readonly host: Host; readonly journal: Journal },
  what: Pick<UndoOptions, "transaction" | "following" | "deleteData" | "others">,
  { reporter, now }: Context,
): Promise<UndoReport> {
  const { transaction } = what;
  const report = await undo({
    host,
    journal,
    ...what,
    now,
    onEffect: (effect) => tellEffect(effect, "undo", reporter),
  });
  for (const path of report.kept)
    reporter.warn(`${path} was edited after the installation; it is kept beside its place`);
  for (const path of report.left) reporter.warn(`${path} stays: it holds what was not installed`);
  for (const { what, why } of report.unseen) reporter.warn(`${what} could not be looked at and is left: ${why}`);
  for (const { what, why } of report.problems) reporter.warn(`${what}: ${why}`);
  reporter.record("undone", { transaction: transaction.id, ...report });
  return report;
}

function forgetIfEmpty(root: string, state: State): void {
  const all = transactions(state.journal.read());
  if (all.some((one) => one.state !== "gone")) return;
  destroyState(root, [...new Set(all.flatMap(({ header }) => header.made))]);
}
