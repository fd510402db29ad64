import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { Store } from "../../../builder/store/store.ts";
import { compressGroups } from "../../../builder/pack/compress.ts";
import { digestOf } from "#bundle";

test("several small contents become one frame and not one with an empty one behind it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-compress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = await Store.open(join(folder, "store"));
  const texts = ["first", "second ".repeat(900), "third"].map((text) => Buffer.from(text));
  const contents = texts.map((bytes) => ({ digest: digestOf(bytes), size: bytes.length, bytes }));
  const [frame] = await compressGroups([{ name: "small", contents }], {
    store,
    level: 3,
    reporter: { progress() {}, warn() {} },
  });
  assert.ok(frame !== undefined);
  const stored = readFileSync(store.path(frame.digest));
  const magic = Buffer.from("28b52ffd", "hex");
  assert.equal(stored.indexOf(magic), 0);
  assert.equal(stored.indexOf(magic, 1), -1, "a second frame begins");
});

test("a content that was cut ends the compression: told, with nothing left open or lying about", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-compress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = await Store.open(join(folder, "store"));
  // More than one thread has work, and the whole one is under way when the other is found out.
  const groups = [];
  for (const name of ["cut", "whole"]) {
    const bytes = Buffer.concat(Array.from({ length: 16 }, () => randomBytes(1024 * 1024)));
    const content = await store.put(Readable.from([bytes]));
    groups.push({ name, contents: [content] });
    if (name === "cut") truncateSync(store.path(content.digest), bytes.length - 1);
  }
  const made = compressGroups(groups, { store, level: 1, reporter: { progress() {}, warn() {} } });
  await assert.rejects(made, /a blob in the store was damaged/);
  assert.deepEqual(readdirSync(join(folder, "store/temporary")), []);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  assert.deepEqual(
    open.filter((path) => path.startsWith(folder)),
    [],
  );
});
