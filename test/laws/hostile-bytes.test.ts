/**
 * Archives and indexes of strangers, mutated: each is read or refused by a name, none ends a program.
 * `npm run test:mutations` draws 10,000 (scripts/mutations.ts).
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { type BundleIndex, digestOf, openBundle, requireWhole } from "#bundle";
import { isExpected } from "#cli/errors";
import { openedFile } from "../../builder/sources/source.ts";
import { takeArtifact } from "../../builder/sources/artifact.ts";
import { Store } from "../../builder/store/store.ts";
import { readTarMembers } from "../../builder/archive/tar-members.ts";
import { sample, withIndex } from "../builders/sample-bundle.ts";
import { hostileArchives } from "../vectors/archives/hostile.ts";
import { Count } from "../programs/figures.ts";
import { runs, seeded } from "../programs/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-hostile-bytes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Ends with an error that an operator can act on, or with none: then true. */
async function survives(count: Count, task: () => Promise<unknown>, what: string): Promise<boolean> {
  try {
    await count.measured(task);
    return true;
  } catch (error) {
    assert.ok(isExpected(error), `${what}: ${error instanceof Error ? error.stack : String(error)}`);
    return false;
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
  const count = new Count("hostile archives");
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...corpus), changes, fc.boolean(), async ({ bytes, wanted }, list, right) => {
      const mutated = right ? resummed(changed(bytes, list)) : changed(bytes, list);
      if (!count.isNew(mutated)) return;
      writeFileSync(path, mutated);
      const artifact = {
        digest: `sha256:${createHash("sha256").update(mutated).digest("hex")}`,
        size: mutated.length,
        pinnedBy: "operator" as const,
        files: { [wanted]: "tool" },
      };
      const opened = openedFile(path, path);
      const taken = await survives(
        count,
        () => takeArtifact(artifact, opened, { store, limits }),
        JSON.stringify(list),
      );
      await survives(count, async () => readTarMembers(path), JSON.stringify(list));
      count.add([], taken);
    }),
    { ...seeded, numRuns: runs(12) },
  );
  count.end();
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
    "9".repeat(100_000),
    `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
    JSON.stringify("x".repeat(1_000_000)),
  );
  // More of what an index has: thousands of nodes, files or contents, all different or all the same.
  const growth = fc.record({
    list: fc.constantFrom("files", "nodes", "secrets", "contents", "blobs", "members"),
    more: fc.constantFrom(10, 1000, 20_000),
    same: fc.boolean(),
  });
  const edit = fc.tuple(fc.nat(), odd);
  const path = join(folder, "index.tar");
  const count = new Count("hostile indexes", [withIndex(good, index)]);
  const hostile = fc.oneof(
    { weight: 10, arbitrary: changes.map((list) => ({ what: JSON.stringify(list), bytes: changed(index, list) })) },
    {
      weight: 10,
      arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
        const text = edited(index.toString("utf8"), edits);
        return { what: text.slice(0, 10_000), bytes: Buffer.from(text) };
      }),
    },
    { weight: 1, arbitrary: growth.map((how) => ({ what: JSON.stringify(how), bytes: grown(good.index, how) })) },
  );
  await fc.assert(
    fc.asyncProperty(hostile, async ({ what, bytes }) => {
      const archive = withIndex(good, bytes);
      if (!count.isNew(archive)) return;
      writeFileSync(path, archive);
      const verify = async (): Promise<void> =>
        requireWhole(await openBundle(path), { contents: true, reporter: { progress() {}, error() {} } });
      count.add([], await survives(count, verify, what));
    }),
    { ...seeded, numRuns: runs(12) },
  );
  count.end();
});

/** Values of a JSON text in the places of others. */
function edited(text: string, edits: readonly (readonly [at: number, replacement: string])[]): string {
  const values = [...text.matchAll(/(?<=: )("(?:[^"\\]|\\.)*"|\d+|true|false|null|\[\]|\{\})/g)];
  return edits.reduce((current, [at, replacement]) => {
    const value = values[at % values.length];
    if (value === undefined) return current;
    return current.slice(0, value.index) + replacement + current.slice(value.index + value[0].length);
  }, text);
}

function grown(
  index: BundleIndex,
  { list, more, same }: { list: keyof BundleIndex; more: number; same: boolean },
): Buffer {
  const present: unknown = index[list];
  const one: unknown = Object.values(present ?? {})[0];
  const renamed = (at: number): unknown => {
    const names = Object.entries(one ?? {}).filter(([key]) => ["path", "name", "node", "member"].includes(key));
    return { ...(one as object), ...Object.fromEntries(names.map(([key, name]) => [key, `${name}${at}`])) };
  };
  const copies = Array.from({ length: more }, (_, at) => (same ? one : renamed(at)));
  const key = (at: number): string => (list === "members" ? `more/${at}` : digestOf(Buffer.from(`${at}`)));
  const value = Array.isArray(present)
    ? [...(present as unknown[]), ...copies]
    : { ...(present as object), ...Object.fromEntries(copies.map((copy, at) => [key(at), copy])) };
  return Buffer.from(`${JSON.stringify({ ...index, [list]: value }, null, 1)}\n`);
}
