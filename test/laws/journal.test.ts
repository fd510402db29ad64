/** The journal survives being torn at any byte: what was whole before stays, and what is written after is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeRecords, encodeRecord, type JournalRecord } from "../../installer/journal/journal.ts";

const record: fc.Arbitrary<JournalRecord> = fc
  .oneof(
    fc.record(
      { type: fc.constantFrom("done" as const, "undone" as const), id: fc.nat(), n: fc.nat() },
      { noNullPrototype: true },
    ),
    fc.record({
      type: fc.constantFrom("commit" as const, "gone" as const),
      id: fc.nat(),
      at: fc.string({ unit: "binary" }),
    }),
  )
  // JSON gives plain objects back.
  .map((one) => ({ ...one }));
const records = fc.array(record, { maxLength: 12 });
const textOf = (list: readonly JournalRecord[]): string => list.map((one) => encodeRecord(one)).join("");

test("decode is the inverse of encode, whatever texts a record holds", () => {
  fc.assert(fc.property(records, (list) => assert.deepEqual(decodeRecords(textOf(list)), list)));
});

test("cut at any byte, all records before the cut are read and none is invented", () => {
  fc.assert(
    fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (list, share) => {
      const bytes = Buffer.from(textOf(list));
      const cut = Math.floor(bytes.length * share);
      const whole = list.filter((_, index) => Buffer.byteLength(textOf(list.slice(0, index + 1))) <= cut);
      assert.deepEqual(decodeRecords(bytes.subarray(0, cut).toString("utf8")), whole);
    }),
  );
});

test("a torn tail does not harm what is appended to it", () => {
  fc.assert(
    fc.property(
      records,
      record,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      records,
      (before, torn, share, after) => {
        const half = encodeRecord(torn);
        const text = textOf(before) + half.slice(0, Math.floor(half.length * share)) + textOf(after);
        assert.deepEqual(decodeRecords(text), [...before, ...after]);
      },
    ),
  );
});

test("a line in which one character is another is not read", () => {
  fc.assert(
    fc.property(record, fc.nat(), (one, position) => {
      const text = encodeRecord(one);
      const at = 1 + (position % (text.length - 1));
      const changed = text[at] === "x" ? "y" : "x";
      assert.deepEqual(decodeRecords(text.slice(0, at) + changed + text.slice(at + 1)), []);
    }),
  );
});
