/** Golden texts in a folder: compared, or with `UPDATE_GOLDEN=1` written anew. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const update = process.env["UPDATE_GOLDEN"] === "1";

/** Holds the files below `dir`, besides its cluster.yaml, against `wanted`: texts by path below it. */
export function compare(dir: string, wanted: ReadonlyMap<string, string>): void {
  const present = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((path) => path !== "cluster.yaml");
  if (update) {
    for (const path of present) rmSync(join(dir, path));
    for (const [path, text] of wanted) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return;
  }
  for (const [path, text] of wanted) {
    assert.ok(existsSync(join(dir, path)), `${path} is not in ${dir}: review it, then UPDATE_GOLDEN=1`);
    assert.equal(text, readFileSync(join(dir, path), "utf8"), `${path} differs from ${dir}`);
  }
  assert.deepEqual(present.toSorted(), [...wanted.keys()].toSorted(), `other files than in ${dir}`);
}
