/** What a journal's records add up to: transactions, oldest first. */
import { ExpectedError } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { Change, Phase } from "../resources/resource.ts";
import { type Header, journalFormat, type JournalRecord } from "./journal.ts";

export interface RecordedChange {
  readonly n: number;
  readonly phase: string;
  readonly change: Change;
  /** What a power cut left beside its place, to be taken away first. Not recorded. */
  readonly sweep?: readonly Effect[];
}

/** One run of apply: what `rollback` takes back. */
export interface Transaction {
  readonly id: number;
  readonly at: string;
  readonly header: Header;
  readonly phases: readonly Phase[];
  readonly changes: readonly RecordedChange[];
  readonly done: ReadonlySet<number>;
  readonly undone: ReadonlySet<number>;
  /** `open`: apply was interrupted; `undoing`: its undo was. */
  readonly state: "open" | "committed" | "undoing" | "gone";
}

/**
 * The transactions that ever touched the host. One whose recording was cut off before `ready` never did and is
 * left out. JOURNAL_INVALID where a record is missing that must be there.
 */
export function transactions(records: readonly JournalRecord[]): Transaction[] {
  const ids = [...new Set(records.map(({ id }) => id))].toSorted((a, b) => a - b);
  return ids.flatMap((id) => {
    const own = records.filter((record) => record.id === id);
    return transaction(id, own) ?? [];
  });
}

function transaction(id: number, records: readonly JournalRecord[]): Transaction | null {
  const begin = records.find((record) => record.type === "begin");
  if (begin !== undefined && begin.format !== journalFormat) throw foreign(begin);
  const ready = records.find((record) => record.type === "ready");
  if (ready === undefined) {
    if (records.some(({ type }) => type === "done" || type === "commit" || type === "undone")) throw damaged(id);
    return null;
  }
  // What was recorded before a crash, ahead of `ready`, may have been recorded again under the same number.
  const changes = [
    ...new Map(records.filter((record) => record.type === "change").map((record) => [record.n, record])).values(),
  ];
  const phases = records.filter((record) => record.type === "phase").map(({ phase }) => phase);
  if (begin === undefined || changes.length !== ready.changes || phases.length !== ready.phases) throw damaged(id);
  const has = (type: JournalRecord["type"]): boolean => records.some((record) => record.type === type);
  const { type: _, id: __, at, format: ___, ...header } = begin;
  return {
    id,
    at,
    header,
    phases,
    changes: changes.toSorted((a, b) => a.n - b.n).map(({ n, phase, change }) => ({ n, phase, change })),
    done: new Set(records.filter((record) => record.type === "done").map(({ n }) => n)),
    undone: new Set(records.filter((record) => record.type === "undone").map(({ n }) => n)),
    state: has("gone") ? "gone" : has("undo") ? "undoing" : has("commit") ? "committed" : "open",
  };
}

/** The number for a new transaction: never one that a record has, be it of a recording that was cut off. */
export function nextId(records: readonly JournalRecord[]): number {
  return records.reduce((highest, { id }) => Math.max(highest, id), 0) + 1;
}

function foreign({ format, installer }: JournalRecord & { type: "begin" }): ExpectedError {
  return new ExpectedError("JOURNAL_INVALID", `the journal was written by another Kubeferry, ${installer}`, {
    where: "/var/lib/kubeferry/journal",
    expected: `format ${journalFormat}`,
    found: `format ${format ?? 1}`,
    hint: "/var/lib/kubeferry/install undo   is done by the installer that wrote it",
  });
}

function damaged(id: number): ExpectedError {
  return new ExpectedError("JOURNAL_INVALID", `records of transaction ${id} are missing from the journal`, {
    where: "/var/lib/kubeferry/journal",
    hint: "keep a copy of /var/lib/kubeferry and restore the journal from a backup",
  });
}
