import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");
const text = readFileSync(join(root, "docs/coverage.md"), "utf8");

test("the table of coverage has all 82 steps, in order", () => {
  const numbers = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from({ length: 82 }, (_, index) => index + 1),
  );
});

test("every path in the table of coverage is rendered for one of the golden clusters", () => {
  const clusters = join(root, "test/golden/clusters");
  const trees = readdirSync(clusters).map((name) => readFileSync(join(clusters, name, "tree.txt"), "utf8"));
  const rendered = new Set(trees.flatMap((tree) => [...tree.matchAll(/^\d{4} (\S+)/gm)].map(([, path]) => path)));
  const rows = text.split("\n").filter((line) => /^\| \d/.test(line));
  const paths = rows.flatMap((row) => [...row.matchAll(/`(\/[^`*]+)`/g)].map(([, path = ""]) => path));
  assert.ok(paths.length > 50);
  assert.deepEqual(
    paths.filter((path) => !rendered.has(path)),
    [],
  );
});
