import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Store } from "../../../builder/store/store.ts";
import { compressGroups } from "../../../builder/pack/compress.ts";
import { digestOf } from "#bundle";

test("several small contents become one frame and not one with an empty one behind it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-compress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = await Store.open(folder);
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

test("a store that fills up ends the compression, and no content stays open", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-compress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = Buffer.concat(Array.from({ length: 16 }, () => randomBytes(1024 * 1024)));
  const path = join(folder, "content");
  writeFileSync(path, bytes);
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const store = {
    dir: folder,
    path: () => path,
    has: async () => false,
    async put(stream: AsyncIterable<Uint8Array>): Promise<never> {
      for await (const _ of stream) throw full;
      throw new Error("nothing came");
    },
  };
  const group = { name: "large", contents: [{ digest: digestOf(bytes), size: bytes.length }] };
  await assert.rejects(compressGroups([group], { store, level: 1, reporter: { progress() {}, warn() {} } }), full);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  assert.ok(!open.includes(path));
});
