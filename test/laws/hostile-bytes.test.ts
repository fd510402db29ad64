/**
 * Archives and indexes of strangers, mutated: each is read or refused by a name, none ends a program.
 * `npm run test:mutations` draws 6,000.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { openBundle, verifyBundle } from "#bundle";
import { isExpected } from "#cli/errors";
import { openedFile } from "../../builder/sources/source.ts";
import { takeArtifact } from "../../builder/sources/artifact.ts";
import { Store } from "../../builder/store/store.ts";
import { readTarMembers } from "../../builder/archive/tar-members.ts";
import { sample, withIndex } from "../builders/sample-bundle.ts";
import { hostileArchives } from "../vectors/archives/hostile.ts";
import { runs } from "../programs/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-hostile-bytes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Ends with an error that an operator can act on, or with none. */
async function survives(task: () => unknown, what: string): Promise<void> {
  try {
    await task();
  } catch (error) {
    assert.ok(isExpected(error), `${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Numbers that archives do not have, among them tar's base 256. */
const strange = fc.constantFrom(
  "\xff\xff\xff\xff\xff\xff\xff\xff",
  "\x80\xff\xff\xff\xff\xff\xff\xff",
  "\xc0\0\0\0\0\0\0\0",
  "\0\0\0\0",
  "77777777777",
  "-1",
  "\x7f\xff\xff\xff",
);
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  text: fc.oneof(strange, fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 12 })),
  cut: fc.boolean(),
});
const changes = fc.array(change, { minLength: 1, maxLength: 4 });

function changed(bytes: Buffer, list: readonly { at: number; text: string; cut: boolean }[]): Buffer {
  let copy = Buffer.from(bytes);
  for (const [index, { at, text, cut }] of list.entries()) {
    const place = Math.floor(at * Math.max(copy.length - 1, 0));
    // A cut is rare, or little else would be read.
    if (cut && index === 3) copy = copy.subarray(0, place);
    else copy.write(text, place, "latin1");
  }
  return copy;
}

/** With tar's checksums made right, so that what is behind them is read. */
function resummed(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    bytes.fill(" ", at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return bytes;
}

test("mutated archives of every kind are taken or refused by a name", async () => {
  const corpus = hostileArchives
    .map(({ bytes, wanted }) => ({ bytes: bytes(), wanted: wanted ?? "bin/tool" }))
    .filter(({ bytes }) => bytes.length < 1e6);
  const store = await Store.open(join(folder, "store"));
  const limits = { member: 1e7, total: 2e7, ratio: 250, members: 1000 };
  const path = join(folder, "archive");
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...corpus), changes, fc.boolean(), async ({ bytes, wanted }, list, right) => {
      const mutated = right ? resummed(changed(bytes, list)) : changed(bytes, list);
      writeFileSync(path, mutated);
      const artifact = {
        digest: `sha256:${createHash("sha256").update(mutated).digest("hex")}`,
        size: mutated.length,
        pinnedBy: "operator" as const,
        files: { [wanted]: "tool" },
      };
      const opened = openedFile(path, path);
      await survives(() => takeArtifact(artifact, opened, { store, limits }), JSON.stringify(list));
      await survives(() => readTarMembers(path), JSON.stringify(list));
    }),
    { numRuns: runs(12) },
  );
});

test("mutated indexes are read or refused by a name", async () => {
  const good = await sample();
  const index = good.members.find(({ path }) => path === "bundle.json")?.content ?? Buffer.alloc(0);
  const odd = fc.constantFrom(
    "null",
    "[]",
    "{}",
    "1e999",
    "-1",
    "0.5",
    '""',
    '"../x"',
    '{"__proto__":1}',
    "[[[[1]]]]",
    '"\\u0000"',
    "9007199254740993",
  );
  const edit = fc.tuple(fc.nat(), odd);
  const path = join(folder, "index.tar");
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      changes,
      fc.boolean(),
      async (edits, list, raw) => {
        const values = [
          ...index.toString("utf8").matchAll(/(?<=: )("(?:[^"\\]|\\.)*"|\d+|true|false|null|\[\]|\{\})/g),
        ];
        let text = index.toString("utf8");
        for (const [at, replacement] of edits) {
          const value = values[at % values.length];
          if (value !== undefined)
            text = text.slice(0, value.index) + replacement + text.slice(value.index + value[0].length);
        }
        writeFileSync(path, withIndex(good, raw ? changed(index, list) : Buffer.from(text)));
        await survives(
          async () => verifyBundle(await openBundle(path), { contents: true }),
          raw ? JSON.stringify(list) : text,
        );
      },
    ),
    { numRuns: runs(12) },
  );
});
