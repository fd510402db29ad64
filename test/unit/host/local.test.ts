/** The real host against what the laws' fake one is held to: strictness, atomicity, privacy, doing it again. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { digestOf } from "#bundle";
import { isExpected } from "#cli/errors";
import type { Effect } from "../../../installer/host/effect.ts";
import type { Host } from "../../../installer/host/host.ts";
import { createLocalHost } from "../../../installer/host/local.ts";
import { block } from "../../../installer/resources/block.ts";
import type { TextState } from "../../../installer/resources/edit.ts";
import { seen } from "../../fakes/states.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-local-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const owner = { uid, gid };
let root: string;
let stage: string;
let host: Host;
let count = 0;

beforeEach(() => {
  count += 1;
  root = join(folder, String(count), "root");
  stage = join(folder, String(count), "stage");
  const before = join(folder, String(count), "before");
  for (const path of [join(root, "etc"), stage, before]) mkdirSync(path, { recursive: true });
  host = createLocalHost({ root, contents: { stage, before } });
});

function staged(text: string): { digest: ReturnType<typeof digestOf>; size: number } {
  const digest = digestOf(text);
  writeFileSync(join(stage, digest), text, { mode: 0o600 });
  return { digest, size: text.length };
}

const write = (path: string, text: string, mode = 0o644): Effect => ({
  do: "write",
  path,
  content: staged(text),
  mode,
  owner,
});
const at = (path: string): string => join(root, path);
const modeOf = (path: string): number => statSync(at(path)).mode & 0o7777;

test("a file is written with its mode, again with the same result, and nothing is left beside it", async () => {
  writeFileSync(at("etc/.a.kubeferry"), "what a crash left");
  for (let time = 0; time < 2; time += 1) {
    await host.perform(write("/etc/a", "new", 0o640));
    assert.equal(readFileSync(at("etc/a"), "utf8"), "new");
    assert.equal(modeOf("etc/a"), 0o640);
    assert.deepEqual(readdirSync(at("etc")), ["a"]);
  }
});

test("two files of one content do not share an inode: neither mode nor a later edit of one reaches the other", async () => {
  await host.perform(write("/etc/a", "same", 0o644));
  const again: Effect = {
    do: "write",
    path: "/etc/b",
    content: { digest: digestOf("same"), size: 4 },
    mode: 0o600,
    owner,
  };
  await host.perform(again);
  assert.notEqual(statSync(at("etc/a")).ino, statSync(at("etc/b")).ino);
  assert.deepEqual([modeOf("etc/a"), modeOf("etc/b")], [0o644, 0o600]);
});

test("a staged content that is not what its name says is not copied into place", async () => {
  const digest = digestOf("right");
  writeFileSync(join(stage, digest), "wrong");
  linkSync(join(stage, digest), join(stage, "other-name"));
  const effect: Effect = { do: "write", path: "/etc/a", content: { digest, size: 5 }, mode: 0o644, owner };
  await assert.rejects(host.perform(effect), (error) => isExpected(error, "DIGEST_MISMATCH"));
  assert.deepEqual(readdirSync(at("etc")), []);
});

test("without the parent directory nothing is written", async () => {
  await assert.rejects(host.perform(write("/missing/a", "x")), (error) => isExpected(error, "APPLY_FAILED"));
});

test("a kept file comes back as the very inode, with its times, also when it is done again", async () => {
  writeFileSync(at("etc/a"), "old", { mode: 0o604 });
  chmodSync(at("etc/a"), 0o604);
  utimesSync(at("etc/a"), 1_600_000_000, 1_500_000_000.5);
  const { ino, mtimeMs } = statSync(at("etc/a"));
  const digest = digestOf("old");
  const restore: Effect = { do: "restore", path: "/etc/a", digest, mode: 0o604, owner, mtimeMs };
  await host.perform({ do: "keep", path: "/etc/a", digest });
  await host.perform(restore); // A crash came before the write: it is still in its place.
  await host.perform({ do: "keep", path: "/etc/a", digest });
  await host.perform(write("/etc/a", "new"));
  for (let time = 0; time < 2; time += 1) {
    await host.perform(restore);
    const stat = statSync(at("etc/a"));
    assert.deepEqual([stat.ino, stat.mtimeMs, stat.mode & 0o7777], [ino, mtimeMs, 0o604]);
  }
});

test("what changed since it was inspected is neither kept nor replaced", async () => {
  writeFileSync(at("etc/a"), "newer");
  const effect: Effect = { do: "keep", path: "/etc/a", digest: digestOf("older") };
  await assert.rejects(host.perform(effect), (error) => isExpected(error, "APPLY_FAILED"));
});

test("an edited file loses only our lines; an untouched one is put back whole; both with their modes", async () => {
  const id = { path: "/etc/a", lines: ["ours"], owner };
  const steps = async (to: TextState): Promise<void> => {
    for (const effect of block.steps(id, await seen(block, host, id), to)) await host.perform(effect);
  };
  writeFileSync(at("etc/a"), "one\ntwo", { mode: 0o600 });
  const before = await seen(block, host, id);
  await steps(block.spec(id, before));
  await steps(before);
  assert.equal(readFileSync(at("etc/a"), "utf8"), "one\ntwo");
  assert.deepEqual(await seen(block, host, id), before, "with its time");
  await steps(block.spec(id, before));
  writeFileSync(at("etc/a"), `zero\n${readFileSync(at("etc/a"), "utf8")}more\n`);
  chmodSync(at("etc/a"), 0o640);
  for (let time = 0; time < 2; time += 1) {
    await steps(before);
    assert.equal(readFileSync(at("etc/a"), "utf8"), "zero\none\ntwo\nmore\n");
    assert.equal(modeOf("etc/a"), 0o640);
  }
});

test("what was edited is set aside, never over what was set aside before", async () => {
  for (const text of ["first", "second"]) {
    writeFileSync(at("etc/a"), text);
    await host.perform({ do: "set-aside", path: "/etc/a" });
  }
  await host.perform({ do: "set-aside", path: "/etc/a" });
  assert.equal(readFileSync(at("etc/a.kubeferry-kept"), "utf8"), "first");
  assert.equal(readFileSync(at("etc/a.kubeferry-kept.1"), "utf8"), "second");
});

test("directories are made with their mode, removed only when empty, and never a file in their place", async () => {
  await host.perform({ do: "mkdir", path: "/etc/d", mode: 0o750, owner });
  await host.perform({ do: "mkdir", path: "/etc/d", mode: 0o700, owner });
  assert.equal(modeOf("etc/d"), 0o700);
  writeFileSync(at("etc/d/x"), "");
  await host.perform({ do: "rmdir-if-empty", path: "/etc/d" });
  assert.ok(existsSync(at("etc/d/x")));
  rmSync(at("etc/d/x"));
  for (let time = 0; time < 2; time += 1) await host.perform({ do: "rmdir-if-empty", path: "/etc/d" });
  assert.ok(!existsSync(at("etc/d")));
  await assert.rejects(host.perform({ do: "remove", path: "/etc" }), "a directory is no file");
});

test("a link takes the place of what is there, and a tree goes with its links but not what they lead to", async () => {
  writeFileSync(at("etc/a"), "");
  await host.perform({ do: "symlink", path: "/etc/a", target: "/dev/null" });
  assert.deepEqual(await host.stat("/etc/a"), {
    type: "symlink",
    target: "/dev/null",
    device: statSync(at("etc")).dev,
  });
  mkdirSync(at("data/deep"), { recursive: true });
  writeFileSync(at("elsewhere"), "stays");
  symlinkSync(at("elsewhere"), at("data/deep/link"));
  await host.perform({ do: "remove-tree", path: "/data" });
  assert.ok(!existsSync(at("data")));
  assert.equal(readFileSync(at("elsewhere"), "utf8"), "stays");
});

test(
  "a full file system is told as such, and what was there stays whole",
  { skip: !existsSync("/dev/full") },
  async () => {
    // /dev/full refuses every write with the kernel's own ENOSPC.
    const full = createLocalHost({ root: "/", contents: { stage, before: stage }, live: true });
    const effect: Effect = { do: "set", path: "/dev/full", value: "1" };
    await assert.rejects(full.perform(effect), (error) => isExpected(error, "NO_SPACE"));
  },
);

test("a program gets no shell and no environment of ours, and its failure says what it said", async () => {
  const { stdout } = await host.query(["env"]);
  for (const line of stdout.trim().split("\n")) assert.match(line, /^(LC_ALL|PATH|SYSTEMD_PAGER)=/);
  assert.equal((await host.query(["echo", "$HOME; true"])).stdout, "$HOME; true\n");
  assert.equal((await host.query(["no-such-program"])).code, 127);
  const forks = ["env", "sh", "-c", "sleep 60 & sleep 60"];
  assert.equal((await host.query(forks, { timeoutSeconds: 0.2 })).code, 124, "what it started ends with it");
  const failing: Effect = { do: "run", argv: ["ls", "/no/such/path"] };
  await assert.rejects(
    host.perform(failing),
    (error) => isExpected(error, "APPLY_FAILED") && /no\/such\/path/.test(error.message),
  );
  await host.perform({ ...failing, accept: [0, 2] });
});

test("a program that leaves another one running with its pipes has ended when it has ended", async () => {
  const left = join(folder, "left");
  const { code, stdout } = await host.query(["sh", "-c", `echo said; setsid sleep 600 & echo $! > ${left}`]);
  process.kill(Number(readFileSync(left, "utf8")), "SIGKILL");
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "said\n" });
});
