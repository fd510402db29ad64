import assert from "node:assert/strict";
import { test } from "node:test";
import { journalFormat, type JournalRecord } from "../../../installer/journal/journal.ts";
import { nextId, transactions } from "../../../installer/journal/transaction.ts";
import { isExpected } from "#cli/errors";

const change = { resource: "directory", id: { path: "/etc/ferry" }, before: null, after: null };
const whole = [
  { type: "begin", id: 1, at: "2026-11-21", format: journalFormat, made: [] },
  { type: "phase", id: 1, phase: { name: "place", goals: [], gates: [] } },
  { type: "change", id: 1, n: 0, phase: "place", change },
  { type: "change", id: 1, n: 1, phase: "place", change },
  { type: "ready", id: 1, phases: 1, changes: 2 },
] as unknown as JournalRecord[];

test("a recording that was cut off before `ready` never touched the host and is no transaction", () => {
  assert.deepEqual(transactions(whole.slice(0, -1)), []);
  assert.equal(nextId(whole.slice(0, -1)), 2, "its number is not taken again");
});

test("the states of a transaction follow from its records", () => {
  const state = (...more: unknown[]): unknown => transactions([...whole, ...(more as JournalRecord[])])[0]?.state;
  assert.equal(state(), "open");
  assert.equal(state({ type: "commit", id: 1, at: "" }), "committed");
  assert.equal(state({ type: "commit", id: 1, at: "" }, { type: "undo", id: 1, at: "" }), "undoing");
  assert.equal(state({ type: "undo", id: 1, at: "" }, { type: "gone", id: 1, at: "" }), "gone");
});

test("a change that was recorded anew counts as it was recorded last", () => {
  const anew = { type: "change", id: 1, n: 1, phase: "place", change: { ...change, before: "linked" } };
  const [transaction] = transactions([...whole, anew as unknown as JournalRecord]);
  assert.deepEqual(
    transaction?.changes.map(({ change: { before } }) => before),
    [null, "linked"],
  );
});

test("a journal that lost a record in its middle is refused, since undo would be incomplete", () => {
  for (const lost of [0, 1, 2, 3]) {
    const records = whole.filter((_, index) => index !== lost);
    assert.throws(
      () => transactions(records),
      (error) => isExpected(error, "JOURNAL_INVALID"),
      `record ${lost}`,
    );
  }
  const done = { type: "done", id: 1, n: 0 } as const;
  assert.throws(
    () => transactions([...whole.slice(0, -1), done]),
    (error) => isExpected(error, "JOURNAL_INVALID"),
  );
});

test("a journal of another format is refused and not read wrongly, whatever its transactions are", () => {
  for (const format of [undefined, 1, journalFormat + 1]) {
    const [begin, ...rest] = whole;
    const other = { ...begin, format, installer: "0.0.9" } as unknown as JournalRecord;
    for (const records of [[other], [other, ...rest], [other, ...rest, { type: "gone", id: 1, at: "" } as const]]) {
      assert.throws(
        () => transactions(records),
        (error) => isExpected(error, "JOURNAL_INVALID") && /another Kubeferry, 0\.0\.9/.test(error.message),
      );
    }
  }
});
