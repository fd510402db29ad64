/** Takes a transaction back, newest change first, past errors, and says what it left and why. */
import { setTimeout } from "node:timers/promises";
import { isExpected, messageOf } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { Host, HostReader } from "../host/host.ts";
import { reload, startedBy } from "../host/systemd.ts";
import { nameOf, resourceOf } from "../resources/catalogue.ts";
import { type Change, isUnknown, type OtherNodes } from "../resources/resource.ts";
import { describeEffect } from "../plan/print.ts";
import { currentOf } from "./apply.ts";
import { isTouched } from "./generations.ts";
import type { Journal } from "./journal.ts";
import { statePath } from "./state.ts";
import { sweeping } from "./sweep.ts";
import type { RecordedChange, Transaction } from "./transaction.ts";

export interface UndoOptions {
  readonly host: Host;
  readonly journal: Journal;
  readonly transaction: Transaction;
  /** Older transactions that are taken back right after this one. */
  readonly following?: readonly Transaction[];
  readonly onEffect: (effect: Effect) => void;
  /** Directories that we made go with what has been written into them since: data of etcd, of containers. */
  readonly deleteData: boolean;
  /** With whom the cluster goes on without this host: what is theirs as well stays. Default: all is taken back. */
  readonly others?: OtherNodes | undefined;
  readonly now: () => Date;
}

export interface UndoReport {
  /** Files that somebody edited after the installation; now beside their place as `*.kubeferry-kept`. */
  readonly kept: readonly string[];
  /** Directories that we made and that hold what we did not make. */
  readonly left: readonly string[];
  /** What could not even be looked at: objects of a cluster that does not answer any more. */
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
  /** What could not be taken back; running undo again tries it again. */
  readonly problems: readonly { readonly what: string; readonly why: string }[];
}

/** What undo would do with several transactions one after the other, the newest first: for its dry-run. */
export async function undoEffects(
  host: HostReader,
  chosen: readonly Transaction[],
  { deleteData, others }: Pick<UndoOptions, "deleteData" | "others">,
): Promise<Effect[]> {
  const effects: Effect[] = [];
  const back = new Map<string, { readonly state: unknown }>();
  for (const [place, transaction] of chosen.entries()) {
    const kept: string[] = [];
    for (const { change, isCut } of toUndo(transaction, others)) {
      const foreseen = back.get(nameOf(change));
      effects.push(...(await backwards(host, change, { foreseen, isCut, deleteData, kept })));
      back.set(nameOf(change), { state: change.before });
    }
    effects.push(...settling(transaction, chosen.slice(place + 1)));
  }
  return effects;
}

/** Undoes one transaction. It is `gone` in the journal only when there is no problem. */
export async function undo(options: UndoOptions): Promise<UndoReport> {
  const { host, journal, transaction, deleteData, others, onEffect } = options;
  const { id } = transaction;
  const kept: string[] = [];
  const unseen: { what: string; why: string }[] = [];
  const problems: { what: string; why: string }[] = [];
  const perform = async (effects: readonly Effect[]): Promise<void> => {
    for (const effect of effects) {
      onEffect(effect);
      await host.perform(effect);
    }
  };
  const tell = (what: string, error: unknown): void => void problems.push({ what, why: messageOf(error) });
  if (transaction.state !== "undoing") journal.append({ type: "undo", id, at: options.now().toISOString() });
  for (const { n, change, isCut } of toUndo(transaction, others)) {
    const what = resourceOf(change).describe(change.id);
    try {
      const onUnseen = (why: string): void => void unseen.push({ what, why });
      if (resourceOf(change).grown !== undefined) await takeGrown(options, change);
      else await perform(await backwards(host, change, { isCut, deleteData, kept, onUnseen }));
      // A directory that holds what could not be taken back is tried again with it.
      const waits = problems.length > 0 && (await standing(host, transaction, [change])).length > 0;
      if (!waits) journal.append({ type: "undone", id, n });
    } catch (error) {
      tell(what, error);
    }
  }
  for (const effect of settling(transaction, options.following ?? [])) {
    try {
      await perform([effect]);
    } catch (error) {
      tell(startedBy(effect) ?? "systemd", error);
    }
  }
  if (problems.length === 0) journal.append({ type: "gone", id, at: options.now().toISOString() });
  const left = await standing(
    host,
    transaction,
    begun(transaction).map(({ change }) => change),
  );
  return { kept, left, unseen, problems };
}

/** Changes that apply may have touched: all that are done and the first that is not. Those after it it never reached. */
export function begun({ changes, done }: Transaction): readonly RecordedChange[] {
  const next = changes.findIndex(({ n }) => !done.has(n));
  return next < 0 ? changes : changes.slice(0, next + 1);
}

/** Newest first. `isCut`: an effect of it may have been under way, in apply or in undo, and left something beside its place. */
function toUndo(
  transaction: Transaction,
  others: OtherNodes | undefined,
): (RecordedChange & { readonly isCut: boolean })[] {
  const { undone, state } = transaction;
  const left = begun(transaction)
    .toReversed()
    .filter(({ n, change }) => !undone.has(n) && !isUnknown(change.before) && !isShared(change, others));
  const current = currentOf(transaction);
  return left.map((one, at) => ({ ...one, isCut: one.n === current || (at === 0 && state === "undoing") }));
}

export function isShared(change: Change, others: OtherNodes | undefined): boolean {
  return others !== undefined && resourceOf(change).isShared?.(change.id, others) === true;
}

/** What ends takes others with it, and what is busy is free a moment later: so many looks. */
const looks = 5;

/** Takes away what grew, until nothing is left of it. What failed is only a problem if it is still there in the end. */
async function takeGrown({ host, onEffect }: UndoOptions, change: Change): Promise<void> {
  const { grown } = resourceOf(change);
  let failure = "";
  for (let look = 1; ; look += 1) {
    const effects = await backwards(host, change, { isCut: false, deleteData: false, kept: [] });
    if (effects.length === 0) return;
    if (look > looks) {
      if (grown?.untilBoot === true) return;
      const left = effects.map(describeEffect).join("; ");
      throw new Error(failure === "" ? `still to do: ${left}` : `${failure} (still to do: ${left})`);
    }
    if (look > 1) await setTimeout(500);
    for (const effect of effects) {
      onEffect(effect);
      try {
        await host.perform(effect);
      } catch (error) {
        if (!isExpected(error)) throw error;
        failure = messageOf(error);
      }
    }
  }
}

interface Backwards {
  /** What will be there once newer transactions are undone; default: it is looked at. */
  readonly foreseen?: { readonly state: unknown } | undefined;
  readonly isCut: boolean;
  readonly deleteData: boolean;
  /** Paths that are set aside are added. */
  readonly kept: string[];
  readonly onUnseen?: (why: string) => void;
}

/** From what is there to what was before. What systemd is to start waits until all is back: see {@link settling}. */
async function backwards(host: HostReader, change: Change, options: Backwards): Promise<Effect[]> {
  const resource = resourceOf(change);
  const { id, before, after } = change;
  const { isCut, deleteData, kept, foreseen } = options;
  const now = foreseen === undefined ? await resource.inspect(host, id) : foreseen.state;
  const effects = isCut ? await sweeping(host, change) : [];
  if (isUnknown(now) && resource.mayWait === true) {
    options.onUnseen?.(now.unknown);
    return effects;
  }
  const from = isUnknown(now) || (isCut && resource.equal(now, before)) ? after : now;
  const steps = resource.steps(id, from, before);
  for (const effect of steps) {
    if (effect.do === "keep" || isStart(effect)) continue;
    const isOwn = steps.some(
      (one) => (one.do === "write" || one.do === "sign") && "path" in effect && one.path === effect.path,
    );
    const path = isOwn || resource.grown !== undefined ? null : await losesAnEdit(host, effect, change, foreseen);
    if (path !== null) {
      effects.push({ do: "set-aside", path });
      kept.push(path);
    }
    const takesAll =
      deleteData && effect.do === "rmdir-if-empty" && effect.data === true && !kept.some(isBelow(effect.path));
    effects.push(takesAll ? { do: "remove-tree", path: effect.path } : effect);
  }
  return effects;
}

const isBelow = (folder: string) => (path: string) => path.startsWith(`${folder}/`);

function isStart(effect: Effect): boolean {
  return startedBy(effect) !== undefined || isReload(effect);
}

function isReload(effect: Effect): boolean {
  return effect.do === "systemctl" && effect.verb === "daemon-reload";
}

/** The path at which it puts something else in the place of a file that has neither content of the change. */
async function losesAnEdit(
  host: HostReader,
  effect: Effect,
  { before, after }: Change,
  foreseen: Backwards["foreseen"],
): Promise<string | null> {
  if (effect.do !== "restore" && effect.do !== "remove" && effect.do !== "symlink") return null;
  const { path } = effect;
  const known = JSON.stringify([before, after]);
  const isFile = foreseen === undefined && (await host.stat(path))?.type === "file";
  const digest = isFile ? await host.digest(path) : digestIn(foreseen?.state);
  return digest === undefined || known.includes(digest) ? null : path;
}

function digestIn(state: unknown): string | undefined {
  return (state as { digest?: string } | null)?.digest;
}

/**
 * Once everything is back: what ran before runs again, with what its files say again. What ends or restarts in an older
 * transaction's undo a moment later is not started in between: an etcd of the older version could not even start with
 * the data of the newer one. It does not ask what has been undone already: nobody noted what was started.
 */
function settling(transaction: Transaction, following: readonly Transaction[]): Effect[] {
  const told = (one: Transaction): Effect[] =>
    concerned(one)
      .flatMap(({ change }) => taken(change))
      .filter((effect) => effect.do === "systemctl");
  const ending = new Set(
    following.flatMap(told).map((effect) => (effect.do === "systemctl" ? effect.unit : undefined)),
  );
  const own = told(transaction);
  const starts = concerned(transaction)
    .toSorted((a, b) => a.n - b.n)
    .flatMap(({ change }) => taken(change))
    .filter((effect) => startedBy(effect) !== undefined && !ending.has(startedBy(effect)));
  return [...(own.length > 0 ? [reload] : []), ...starts];
}

function taken({ resource, id, before, after }: Change): Effect[] {
  return isUnknown(before) ? [] : resourceOf({ resource }).steps(id, after, before);
}

/** A unit that apply never reached may run with files that it did replace: a reboot came between. */
function concerned(transaction: Transaction): RecordedChange[] {
  const reached = begun(transaction);
  const touched = reached.map(({ change }) => change);
  return transaction.changes.filter((one) => reached.includes(one) || isTouched(one.change, touched));
}

/** Directories that were made and are not empty. Our own folder and its ancestors go after this. */
async function standing(host: HostReader, { header }: Transaction, changes: readonly Change[]): Promise<string[]> {
  const left: string[] = [];
  for (const effect of changes.flatMap(taken)) {
    if (effect.do !== "rmdir-if-empty" || [statePath, ...header.made].includes(effect.path)) continue;
    if ((await host.stat(effect.path)) !== null) left.push(effect.path);
  }
  return left;
}
