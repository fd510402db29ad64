/** Takes a transaction back, newest change first, past errors, and says what it left and why. */
import { setTimeout } from "node:timers/promises";
import { isExpected, messageOf } from "#kit/errors";
import type { Effect } from "../host/effect.ts";
import type { Host, HostReader } from "../host/host.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { DirectoryBefore, DirectorySpec } from "../operations/directory.ts";
import type { Change } from "../operations/operation.ts";
import type { UnitBefore, UnitSpec } from "../operations/unit.ts";
import { describeEffect } from "../plan/print.ts";
import type { Journal } from "./journal.ts";
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
  readonly now: () => Date;
}

export interface UndoReport {
  /** Files that somebody edited after the installation; now beside their place as `*.kubeferry-kept`. */
  readonly kept: readonly string[];
  /** Directories that we made and that hold what we did not make. */
  readonly left: readonly string[];
  /** What could not be taken back; running undo again tries it again. */
  readonly problems: readonly { readonly what: string; readonly why: string }[];
}

/** What undo would do, as the host is now: for its dry-run. */
export async function undoEffects(
  host: HostReader,
  transaction: Transaction,
  following: readonly Transaction[],
  deleteData: boolean,
): Promise<Effect[]> {
  const effects: Effect[] = [];
  const kept: string[] = [];
  for (const { n, change } of begun(transaction).toReversed()) {
    if (transaction.undone.has(n)) continue;
    const grown = await grownSteps(host, change);
    effects.push(...(grown ?? (await backwardOf(host, change, kept, deleteData))));
  }
  return [...effects, ...settlingBefore(transaction, following)];
}

/** Undoes one transaction. It is `gone` in the journal only when there is no problem. */
export async function undo(options: UndoOptions): Promise<UndoReport> {
  const { host, journal, transaction } = options;
  const { id } = transaction;
  const kept: string[] = [];
  const problems: { what: string; why: string }[] = [];
  if (transaction.state !== "undoing") journal.append({ type: "undo", id, at: options.now().toISOString() });

  const changes = begun(transaction);
  for (const { n, change } of changes.toReversed()) {
    if (transaction.undone.has(n)) continue;
    try {
      if (kindOf(change).grown !== undefined) await takeGrown(options, change);
      else {
        for (const effect of await backwardOf(host, change, kept, options.deleteData)) {
          options.onEffect(effect);
          await host.perform(effect);
        }
      }
      journal.append({ type: "undone", id, n });
    } catch (error) {
      problems.push({ what: kindOf(change).describe(change.spec), why: messageOf(error) });
    }
  }
  for (const effect of settlingBefore(transaction, options.following ?? [])) {
    try {
      options.onEffect(effect);
      await host.perform(effect);
    } catch (error) {
      problems.push({ what: effect.do === "run" ? effect.argv.join(" ") : effect.do, why: messageOf(error) });
    }
  }
  if (problems.length === 0) journal.append({ type: "gone", id, at: options.now().toISOString() });
  return { kept, left: await remaining(host, changes, transaction.header.made), problems };
}

/** Changes that apply may have touched: all that are done and the first that is not. Those after it it never reached. */
export function begun({ changes, done }: Transaction): readonly RecordedChange[] {
  const next = changes.findIndex(({ n }) => !done.has(n));
  return next < 0 ? changes : changes.slice(0, next + 1);
}

/** A unit that apply never reached may run with files that it did replace: a reboot came between. */
function settled(transaction: Transaction): readonly RecordedChange[] {
  const changes = begun(transaction);
  return changes.some(({ change }) => change.kind === "file") ? transaction.changes : changes;
}

/**
 * What ends or restarts in an older transaction's undo a moment later is not started in between: an etcd of the older version
 * could not even start with the data of the newer one.
 */
function settlingBefore(transaction: Transaction, following: readonly Transaction[]): Effect[] {
  const units = following.flatMap((older) => begun(older).filter(({ change }) => change.kind === "unit"));
  const ending = new Set(
    units.flatMap(({ change }) => {
      const { active, stale } = change.before as UnitBefore;
      return !active || stale ? [(change.spec as UnitSpec).name] : [];
    }),
  );
  const starts = (effect: Effect): boolean =>
    effect.do === "run" && /^systemctl (re)?start /.test(effect.argv.join(" "));
  return settling(settled(transaction)).filter(
    (effect) => effect.do !== "run" || !starts(effect) || !ending.has(effect.argv.at(-1) ?? ""),
  );
}

/** What a look at the host says now; null for a change that apply made itself. */
async function grownSteps(host: HostReader, change: Change): Promise<Effect[] | null> {
  const kind = kindOf(change);
  return kind.grown?.steps(change.spec, await kind.inspect(host, change.spec), change.before) ?? null;
}

/** What ends takes others with it, and what is busy is free a moment later: so many looks. */
const looks = 5;

/** Takes away what grew, until nothing is left of it. What failed is only a problem if it is still there in the end. */
async function takeGrown({ host, onEffect }: UndoOptions, change: Change): Promise<void> {
  let failure = "";
  for (let look = 1; ; look += 1) {
    const steps = (await grownSteps(host, change)) ?? [];
    if (steps.length === 0) return;
    if (look > looks) {
      if (kindOf(change).grown?.untilBoot === true) return;
      const left = steps.map(describeEffect).join("; ");
      throw new Error(failure === "" ? `still to do: ${left}` : `${failure} (still to do: ${left})`);
    }
    if (look > 1) await setTimeout(500);
    for (const effect of steps) {
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

async function backwardOf(host: HostReader, change: Change, kept: string[], deleteData: boolean): Promise<Effect[]> {
  const kind = kindOf(change);
  const edited = (await kind.edited?.(host, change.spec, change.before)) ?? [];
  kept.push(...edited);
  const aside = edited.map((path): Effect => ({ do: "set-aside", path }));
  if (deleteData && change.kind === "directory") {
    const { path, implied } = change.spec as DirectorySpec;
    const before = change.before as DirectoryBefore;
    if (before === null && !implied && !kept.some((file) => file.startsWith(`${path}/`))) {
      return [{ do: "remove-tree", path }];
    }
  }
  return [...aside, ...kind.backward(change.spec, change.before)];
}

/** Each different effect once: reloads first, then what starts units again, in the order of apply. */
export function settling(changes: readonly RecordedChange[]): Effect[] {
  const all = changes.flatMap(({ change }) => kindOf(change).settle?.(change.spec, change.before) ?? []);
  const unique = [...new Map(all.map((effect) => [JSON.stringify(effect), effect])).values()];
  const isReload = (effect: Effect): boolean => effect.do === "run" && effect.argv.includes("daemon-reload");
  return [...unique.filter(isReload), ...unique.filter((effect) => !isReload(effect))];
}

/** Ancestors of our own folder go with it, after this. */
async function remaining(host: Host, changes: readonly RecordedChange[], made: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const { change } of changes) {
    if (change.kind !== "directory" || change.before !== null) continue;
    const { path } = change.spec as DirectorySpec;
    if (!made.includes(path) && (await host.stat(path)) !== null) left.push(path);
  }
  return left;
}
