import assert from "node:assert/strict";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { recallMembers, rememberMembers } from "../../../builder/store/members.ts";
import { Partial } from "../../../builder/store/partial.ts";
import { collectGarbage, listStore, verifyStore } from "../../../builder/store/upkeep.ts";
import { Store } from "../../../builder/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-store-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const newStore = (): Promise<Store> => Store.open(join(folder, `store-${(count += 1)}`));

async function* bytes(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** Everything below the store's folders but what is to be resumed. */
const temporaries = (store: Store): string[] => readdirSync(join(store.dir, "temporary"));

test("a content is found under its digest, by this Store and by another", async () => {
  const store = await newStore();
  const digest = digestOf("hello");
  assert.equal(await store.has(digest), false);
  assert.deepEqual(await store.put(bytes("hel", "lo")), { digest, size: 5 });
  assert.equal(readFileSync(store.path(digest), "utf8"), "hello");
  assert.equal(await store.has(digest), true);
  assert.equal(await (await Store.open(store.dir)).has(digest), true);
  assert.deepEqual(temporaries(store), []);
});

test("another content than the expected one is not kept", async () => {
  const store = await newStore();
  const digest = digestOf("hello");
  await assert.rejects(store.put(bytes("hellO"), { digest }), {
    code: "DIGEST_MISMATCH",
    expected: digest,
    found: digestOf("hellO"),
  });
  await assert.rejects(store.put(bytes("hel"), { size: 5 }), { code: "SIZE_MISMATCH", found: "3 bytes" });
  await assert.rejects(store.put(bytes("hel", "looo"), { size: 5 }), { code: "SIZE_MISMATCH", found: "more" });
  assert.deepEqual(listStore(store), []);
  assert.deepEqual(temporaries(store), []);
});

test("a stream that fails leaves nothing", async () => {
  const store = await newStore();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("some");
    throw new Error("cut");
  }
  await assert.rejects(store.put(broken()), { message: "cut" });
  assert.deepEqual(temporaries(store), []);
});

test("a damaged content counts as absent, also when it was believed before, and is put right by storing it again", async () => {
  const store = await newStore();
  const { digest } = await store.put(bytes("hello"));
  assert.equal(await store.has(digest), true);
  truncateSync(store.path(digest), 3);
  assert.equal(await store.has(digest), false);
  writeFileSync(store.path(digest), "hellO");
  assert.equal(await store.has(digest), false);
  await store.put(bytes("hello"));
  assert.equal(await store.has(digest), true);
});

test("two writers of one content both succeed", async () => {
  const store = await newStore();
  const other = await Store.open(store.dir);
  const made = await Promise.all([store.put(bytes("a", "b")), other.put(bytes("ab")), store.put(bytes("ab"))]);
  assert.deepEqual(new Set(made.map(({ digest }) => digest)), new Set([digestOf("ab")]));
  assert.equal(await store.has(digestOf("ab")), true);
});

test("verify names every damaged content, and takes it away when asked to", async () => {
  const store = await newStore();
  const { digest } = await store.put(bytes("one"));
  await store.put(bytes("two"));
  writeFileSync(store.path(digest), "One");
  const [problem, ...more] = await verifyStore(store);
  assert.deepEqual(more, []);
  assert.deepEqual([problem?.where, problem?.expected, problem?.found], [store.path(digest), digest, digestOf("One")]);
  await verifyStore(store, { repair: true });
  assert.deepEqual(await verifyStore(store), []);
  assert.deepEqual(
    listStore(store).map((content) => content.digest),
    [digestOf("two")],
  );
});

test("gc takes what no build used lately, and what interrupted ones left, but never what is kept or new", async () => {
  const store = await newStore();
  const now = new Date("2026-06-01T00:00:00Z");
  const old = new Date("2026-01-01T00:00:00Z");
  const contents = await Promise.all(["old", "kept", "new"].map((text) => store.put(bytes(text))));
  for (const { digest } of contents.slice(0, 2)) utimesSync(store.path(digest), old, old);
  utimesSync(store.path(digestOf("new")), now, now);
  for (const name of ["temporary/a", "partial/key.free-00", `partial/key.${process.pid}-00`]) {
    writeFileSync(join(store.dir, name), "12345");
    utimesSync(join(store.dir, name), old, old);
  }
  const month = 30 * 24 * 3_600_000;
  const collected = await collectGarbage(store, { keep: new Set([digestOf("kept")]), olderThanMs: month, now });
  assert.deepEqual(collected, { removed: 3, bytes: 13, kept: 2 });
  assert.deepEqual(
    listStore(store)
      .map(({ digest }) => digest)
      .toSorted(),
    [digestOf("kept"), digestOf("new")].toSorted(),
  );
  assert.deepEqual(readdirSync(join(store.dir, "partial")), [`key.${process.pid}-00`]);
});

test("what an artifact gave is remembered only while its contents are there and the record is intact", async () => {
  const store = await newStore();
  const artifact = `sha256:${digestOf("archive")}`;
  const { digest, size } = await store.put(bytes("etcd"));
  assert.equal(await recallMembers(store, artifact, ["usr/bin/etcd"]), null);
  await rememberMembers(store, artifact, { "usr/bin/etcd": [{ member: "usr/bin/etcd", digest, size }] });
  await rememberMembers(store, artifact, { "usr/bin/none/*": [] });
  assert.deepEqual(await recallMembers(store, artifact, ["usr/bin/etcd"]), {
    "usr/bin/etcd": [{ member: "usr/bin/etcd", digest, size }],
  });
  assert.equal(await recallMembers(store, artifact, ["usr/bin/etcd", "usr/bin/other"]), null);
  const record = join(store.dir, "members", `sha256-${digestOf("archive")}.json`);
  const text = readFileSync(record, "utf8");
  writeFileSync(record, text.replace(digest, digestOf("evil")));
  assert.equal(await recallMembers(store, artifact, ["usr/bin/etcd"]), null);
  writeFileSync(record, text);
  assert.notEqual(await recallMembers(store, artifact, ["usr/bin/etcd"]), null);
  writeFileSync(store.path(digest), "evil");
  assert.equal(await recallMembers(store, artifact, ["usr/bin/etcd"]), null);
});

test("a part belongs to one process at a time, is resumed by the next, and forgotten when it is finished", async () => {
  const store = await newStore();
  const first = await Partial.claim(store, "sha256-aa");
  await first.append(Buffer.from("half"));
  await first.setValidator({ url: "http://x/", value: '"1"' });
  const second = await Partial.claim(store, "sha256-aa");
  assert.equal(second.size, 0, "the first is still being written");
  await second.release();
  await first.release();
  const third = await Partial.claim(store, "sha256-aa");
  assert.equal(third.size, 4);
  assert.deepEqual(third.validator, { url: "http://x/", value: '"1"' });
  await third.append(Buffer.from("+half"));
  assert.equal(readFileSync(third.path, "utf8"), "half+half");
  await third.finish();
  assert.deepEqual(readdirSync(join(store.dir, "partial")), []);
});

test("a part of a process that is gone is taken over", async () => {
  const store = await newStore();
  // Larger than any process number of Linux.
  writeFileSync(join(store.dir, "partial/sha256-aa.99999999-00ff"), "left");
  const part = await Partial.claim(store, "sha256-aa");
  assert.equal(part.size, 4);
  await part.reset();
  assert.equal(statSync(part.path).size, 0);
  await part.finish();
});

test("a store that cannot be made says so", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "");
  chmodSync(file, 0o600);
  await assert.rejects(Store.open(join(file, "below")), { code: "CONFIG_UNREADABLE" });
});
