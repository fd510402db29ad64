/** Nothing of the state is believed or written through because it lies there. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createState, destroyState, stateExists, stateOf } from "../../../installer/journal/state.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-own-state-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function tree(): { root: string; outside: string; state: string } {
  count += 1;
  const root = join(folder, `root-${count}`);
  const outside = join(folder, `outside-${count}`);
  mkdirSync(root);
  mkdirSync(outside);
  return { root, outside, state: join(root, "var/lib/kubeferry") };
}

test("a link in the place of any part of the state is refused, and nothing is written behind it", () => {
  for (const [name, isFolder] of [
    ["journal", false],
    ["lock", false],
    ["install", false],
    ["stage", true],
    ["before", true],
  ] as const) {
    const { root, outside, state } = tree();
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const target = isFolder ? outside : join(outside, "target");
    symlinkSync(target, join(state, name));
    assert.throws(() => stateOf(root), { code: "PATH_ESCAPES" }, name);
    assert.throws(() => createState(root), { code: "PATH_ESCAPES" }, name);
    assert.ok(isFolder || !existsSync(target));
  }
});

test("the state folder itself may be no link, wherever it leads", () => {
  const { root, outside, state } = tree();
  mkdirSync(join(root, "var/lib"), { recursive: true });
  symlinkSync(outside, state);
  assert.throws(() => createState(root), { code: "PATH_ESCAPES" });
});

test("the note beside the state is never written through a link", () => {
  const { root, outside } = tree();
  const target = join(outside, "passwd");
  writeFileSync(target, "root:x:0:0\n");
  symlinkSync(target, join(root, ".kubeferry-made"));
  assert.throws(() => createState(root), { code: "PATH_ESCAPES" });
  assert.equal(readFileSync(target, "utf8"), "root:x:0:0\n");
});

test("a note that names other folders takes none of them away", () => {
  const { root, outside } = tree();
  mkdirSync(join(root, "srv"));
  writeFileSync(join(root, ".kubeferry-made"), JSON.stringify(["/srv", `/../${outside.split("/").at(-1)}`, "/var"]), {
    mode: 0o600,
  });
  createState(root);
  destroyState(root, []);
  assert.ok(existsSync(join(root, "srv")) && existsSync(outside));
});

test("a state that others may write or own is refused", () => {
  const { root, state } = tree();
  createState(root);
  assert.ok(stateExists(root));
  chmodSync(state, 0o777);
  assert.throws(() => stateOf(root), {
    code: "JOURNAL_INVALID",
    found: "owner 0, mode 0777".replace("0,", `${process.getuid?.()},`),
  });
  chmodSync(state, 0o700);
  stateOf(root);
  writeFileSync(join(state, "journal"), "", { mode: 0o600 });
  chmodSync(join(state, "journal"), 0o620);
  assert.throws(() => stateOf(root), { code: "JOURNAL_INVALID" });
  chmodSync(join(state, "journal"), 0o600);
  if (process.getuid?.() !== 0) return;
  chownSync(state, 1000, 1000);
  assert.throws(() => stateOf(root), { code: "JOURNAL_INVALID", found: "owner 1000, mode 0700" });
});
