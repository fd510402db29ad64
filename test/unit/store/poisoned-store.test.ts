/** A store that somebody else could write to: what it says without proof is named, and never packed. */
import { Readable } from "node:stream";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { fetchRelease } from "../../../builder/sources/fetch.ts";
import { readNote, sealNote } from "../../../builder/store/sealed-note.ts";
import { Store } from "../../../builder/store/store.ts";
import type { LockedArtifact } from "../../../builder/lock/lock.ts";
import { compressGroups } from "../../../builder/pack/compress.ts";
import { pinned } from "../../../scripts/node-binary.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-poisoned-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function told(): { warned: string[]; reporter: ReturnType<typeof createReporter> } {
  const warned: string[] = [];
  return {
    warned,
    reporter: createReporter({ out: { write: () => true }, err: { write: (text) => warned.push(text) } }),
  };
}

const tool = join(folder, "tool");
writeFileSync(tool, "the tool");
const artifact: LockedArtifact = {
  component: "tool",
  version: "1",
  platform: "linux/amd64",
  from: `file:${tool}`,
  resolved: `file:${tool}`,
  mirrors: [],
  digest: `sha256:${digestOf("the tool")}`,
  size: 8,
  pinnedBy: "operator",
  files: { ".": "tool" },
};
const lock = {
  version: 1 as const,
  release: "r",
  manifest: "0".repeat(64),
  platforms: ["linux/amd64" as const],
  locked: "2026-11-21",
  artifacts: [artifact],
  images: [],
  packages: [],
  requests: [],
};

test("a member index that another wrote is named and the artifact taken anew", async () => {
  const store = await Store.open(join(folder, "members-store"));
  const { warned, reporter } = told();
  const fetch = (): ReturnType<typeof fetchRelease> =>
    fetchRelease({ lock, store, mirrors: [], offline: true, reporter });
  assert.equal((await fetch())[0]?.digest, digestOf("the tool"));
  assert.equal(statSync(`${store.dir}.key`).mode & 0o777, 0o600);
  const evil = await store.put(Readable.from([Buffer.from("an evil tool")]));
  const [name = ""] = readdirSync(join(store.dir, "members"));
  const note = join(store.dir, "members", name);
  const record = JSON.stringify({ ".": [{ member: ".", ...evil }] });
  // With a digest of its own, as older versions believed it; and with the seal of what was there.
  for (const forged of [`${digestOf(record)}\n${record}\n`, `${readFileSync(note, "utf8").slice(0, 65)}${record}`]) {
    writeFileSync(note, forged);
    warned.length = 0;
    assert.equal((await fetch())[0]?.digest, digestOf("the tool"));
    assert.match(warned.join(""), /members\/sha256-[0-9a-f]+\.json was not written with this store's key/);
  }
  warned.length = 0;
  await fetch();
  assert.deepEqual(warned, [], "it was made anew");
});

test("a frame that another put there is named and compressed anew", async () => {
  const store = await Store.open(join(folder, "frames-store"));
  const { warned, reporter } = told();
  const bytes = Buffer.from("a file of a node\n".repeat(100));
  const group = { name: "small", contents: [{ digest: digestOf(bytes), size: bytes.length, bytes }] };
  const frames = () => compressGroups([group], { store, level: 3, reporter });
  const [first] = await frames();
  assert.equal((await frames())[0]?.cached, true);
  const evil = await store.put(Readable.from([Buffer.from("no frame at all")]));
  const [name = ""] = readdirSync(join(store.dir, "frames"));
  writeFileSync(join(store.dir, "frames", name), JSON.stringify(evil));
  const [again] = await frames();
  assert.deepEqual([again?.digest, again?.cached], [first?.digest, false]);
  assert.match(warned.join(""), /frames\/[0-9a-f]+ was not written with this store's key/);
});

test("a seal holds for one store, one name and one text, and a key that others could read seals nothing", async () => {
  const dir = (await Store.open(join(folder, "seals"))).dir;
  const write = (name: string, content: string): void => writeFileSync(join(dir, name), content);
  write("members/a", sealNote(dir, "members/a", "text"));
  assert.deepEqual(readNote(dir, "members/a"), { kind: "own", text: "text" });
  write("members/b", sealNote(dir, "members/a", "text"));
  assert.equal(readNote(dir, "members/b").kind, "foreign");
  write("members/a", `${sealNote(dir, "members/a", "text")} more`);
  assert.equal(readNote(dir, "members/a").kind, "foreign");
  assert.equal(readNote(dir, "members/none").kind, "none");

  const open = (await Store.open(join(folder, "open"))).dir;
  writeFileSync(`${open}.key`, `${"00".repeat(32)}\n`);
  chmodSync(`${open}.key`, 0o644);
  sealNote(open, "members/a", "text");
  assert.notEqual(readFileSync(`${open}.key`, "utf8"), `${"00".repeat(32)}\n`);
  assert.equal(statSync(`${open}.key`).mode & 0o777, 0o600);
});

test("a content that was changed in the store is never what its name says", async () => {
  const store = await Store.open(join(folder, "contents-store"));
  const { digest } = await store.put(Readable.from([Buffer.from("a content")]));
  writeFileSync(store.path(digest), "a contenT");
  assert.equal(await store.has(digest), false);
});

test("a Node in the cache that is not the pinned one becomes no installer", () => {
  const node = join(folder, "node");
  writeFileSync(node, "#!/bin/sh\n");
  const found = createHash("sha256").update("#!/bin/sh\n").digest("hex");
  assert.throws(() => pinned(node, "linux-x64", "24.21.0"), new RegExp(`scripts/node-digests.json pins[^]*${found}`));
  assert.throws(() => pinned(process.execPath, "linux-x64", "99.0.0"), /a pinned digest/);
});
