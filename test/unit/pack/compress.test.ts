import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Store } from "../../../builder/fetch/store.ts";
import { compressGroups } from "../../../builder/pack/compress.ts";
import { digestOf } from "#bundle";

test("several small contents become one frame and not one with an empty one behind it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-compress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = await Store.open(folder);
  const texts = ["first", "second ".repeat(900), "third"].map((text) => Buffer.from(text));
  const contents = texts.map((bytes) => ({ digest: digestOf(bytes), size: bytes.length, bytes }));
  const [frame] = await compressGroups([{ name: "small", contents }], { store, level: 3, reporter: { progress() {} } });
  assert.ok(frame !== undefined);
  const stored = readFileSync(store.path(frame.digest));
  const magic = Buffer.from("28b52ffd", "hex");
  assert.equal(stored.indexOf(magic), 0);
  assert.equal(stored.indexOf(magic, 1), -1, "a second frame begins");
});
