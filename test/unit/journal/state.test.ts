import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createState, destroyState, forgetNote, stateExists, stateOf } from "../../../installer/journal/state.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-state-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
function freshRoot(): string {
  count += 1;
  const root = join(folder, String(count));
  mkdirSync(root);
  return root;
}

test("the folder is private, and it and its ancestors go when they are destroyed", () => {
  const root = freshRoot();
  const made = createState(root);
  assert.deepEqual(made, ["/var", "/var/lib"]);
  assert.equal(statSync(stateOf(root).folder).mode & 0o7777, 0o700);
  assert.equal(statSync(stateOf(root).contents.stage).mode & 0o7777, 0o700);
  forgetNote(root);
  assert.deepEqual(readdirSync(root), ["var"]);
  destroyState(root, made);
  assert.deepEqual(readdirSync(root), []);
});

test("ancestors that a run made before it was cut off are known to the next one", () => {
  const root = freshRoot();
  createState(root);
  // No journal was written; the note beside /var says what was made.
  assert.deepEqual(createState(root), ["/var", "/var/lib"]);
  destroyState(root, []);
  assert.deepEqual(readdirSync(root), []);
});

test("destroying goes on wherever it was cut off", () => {
  const root = freshRoot();
  const made = createState(root);
  forgetNote(root);
  writeFileSync(join(stateOf(root).folder, "journal"), "");
  writeFileSync(join(root, ".kubeferry-made"), JSON.stringify(made));
  rmSync(stateOf(root).folder, { recursive: true });
  rmSync(join(root, "var/lib"), { recursive: true });
  assert.ok(stateExists(root), "the note alone says that something is left");
  destroyState(root, []);
  assert.deepEqual(readdirSync(root), []);
});

test("ancestors that hold something else stay", () => {
  const root = freshRoot();
  const made = createState(root);
  writeFileSync(join(root, "var/lib/other"), "");
  destroyState(root, made);
  assert.ok(existsSync(join(root, "var/lib/other")));
  assert.deepEqual(readdirSync(root), ["var"]);
});
