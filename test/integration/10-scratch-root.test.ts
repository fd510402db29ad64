/** The installer as a process, in a scratch root: dry-run, install, audit, edits, undo, and being killed at any moment. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeRecords, encodeRecord } from "../../installer/journal/journal.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, pictureOf, type Ran, startInstaller } from "../programs/tree.ts";

let folder: string;
let bundle: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-root-"));
  bundle = await writeNodeBundle(join(folder, "bundle.tar"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A tree with what a host has: files of ours in another version, hard links, a symbolic link in place of a file. */
function hostTree(): string {
  count += 1;
  const root = join(folder, `root-${count}`);
  for (const path of ["etc/ferry", "etc/systemd/system", "opt/ferry/bin", "var/lib"])
    mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "etc/fstab"), "/dev/vda1 / ext4 defaults 0 1\n/dev/vda2\tnone  swap sw 0 0\n");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost");
  writeFileSync(join(root, "etc/ferry/serve.conf"), "listen: mine\n");
  chmodSync(join(root, "etc/ferry/serve.conf"), 0o640);
  writeFileSync(join(root, "opt/ferry/bin/serve"), "an older program");
  linkSync(join(root, "opt/ferry/bin/serve"), join(root, "opt/ferry/bin/also"));
  symlinkSync("/dev/null", join(root, "etc/systemd/system/serve.service"));
  for (const path of ["etc/fstab", "etc/hosts", "etc/ferry/serve.conf"])
    utimesSync(join(root, path), 1_700_000_000, 1_600_000_000.125);
  return root;
}

const select = (root: string): string[] => ["--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root];

function effectsOf({ stdout }: Ran): string[] {
  return stdout.split("\n").filter((line) => line.includes('"type":"effect"'));
}

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}

test("dry-run changes nothing and lists exactly what is then performed; undo leaves no trace", async () => {
  const root = hostTree();
  const start = pictureOf(root);
  const dry = await installer(...select(root), "--dry-run", "--json");
  assertCode(dry, 0);
  assert.deepEqual(pictureOf(root), start);
  const done = await installer(...select(root), "--json");
  assertCode(done, 0);
  assert.ok(effectsOf(done).length > 15);
  assert.deepEqual(effectsOf(done), effectsOf(dry));

  assert.equal(readFileSync(join(root, "etc/ferry/serve.conf"), "utf8"), "listen: 10.0.0.9\nname: worker-10-0-0-9\n");
  assert.match(readFileSync(join(root, "etc/fstab"), "utf8"), /^#kubeferry# \/dev\/vda2\tnone {2}swap sw 0 0$/m);
  assert.equal(statSync(join(root, "etc/ferry/pki/serve.key")).mode & 0o7777, 0o600);
  assertCode(await installer("audit", "--root", root), 0);
  assertCode(await installer("status", "--root", root), 0);

  const again = await installer(...select(root), "--json");
  assertCode(again, 0);
  assert.deepEqual(effectsOf(again), []);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
  assert.equal(statSync(join(root, "opt/ferry/bin/serve")).nlink, 2, "the very inode is back, with its other name");
});

test("from an empty root everything goes again, the root's own folders included", async () => {
  const root = join(folder, "empty");
  mkdirSync(root);
  assertCode(await installer(...select(root)), 0);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(Object.keys(pictureOf(root)), ["."]);
});

test("a second role is a transaction of its own: rollback takes only it, undo both", async () => {
  const root = hostTree();
  const start = pictureOf(root);
  const other = await writeNodeBundle(join(folder, "roles.tar"), {
    files: [...nodeFiles, { path: "/etc/ferry/etcd.conf", content: "member\n", roles: ["etcd"] }],
  });
  const as = (role: string): string[] => ["--bundle", other, "--role", role, "--ip", "10.0.0.11", "--root", root];
  assertCode(await installer(...as("worker")), 0);
  const worker = pictureOf(root);
  assertCode(await installer(...as("etcd")), 0);
  assert.ok(existsSync(join(root, "etc/ferry/etcd.conf")));
  assertCode(await installer("rollback", "--root", root), 0);
  const journal = "var/lib/kubeferry/journal";
  assert.deepEqual({ ...pictureOf(root), [journal]: "" }, { ...worker, [journal]: "" });
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
});

test("rollback of the only installation is refused: it would be an undo", async () => {
  const root = hostTree();
  assertCode(await installer(...select(root)), 0);
  const installed = pictureOf(root);
  const refused = await installer("rollback", "--root", root);
  assertCode(refused, 2);
  assert.match(refused.stderr, /this is the first installation.*nothing was changed[\s\S]*\.\/install undo/);
  assert.deepEqual(pictureOf(root), installed);
});

test("status and audit end with 9 where nothing is installed, and status where an installation was cut off", async () => {
  const root = hostTree();
  for (const command of ["status", "audit"]) {
    const bare = await installer(command, "--root", root);
    assertCode(bare, 9);
    assert.match(bare.stderr, /nothing is installed here/);
  }
  assertCode(await installer(...select(root)), 0);
  assertCode(await installer("status", "--root", root), 0);
  const journal = join(root, "var/lib/kubeferry/journal");
  const records = decodeRecords(readFileSync(journal, "utf8"));
  writeFileSync(
    journal,
    records
      .filter(({ type }) => type !== "commit")
      .map(encodeRecord)
      .join(""),
  );
  const cutOff = await installer("status", "--root", root);
  assertCode(cutOff, 9);
  assert.match(cutOff.stdout, /error +journal +transaction 1 .* was interrupted\n +next: .*again, or \.\/install undo/);
});

test("audit finds every kind of drift with exit 9; undo keeps what an operator edited", async () => {
  const root = hostTree();
  assertCode(await installer(...select(root)), 0);
  appendFileSync(join(root, "etc/ferry/serve.conf"), "debug: true\n");
  chmodSync(join(root, "opt/ferry/bin/serve-again"), 0o755);
  rmSync(join(root, "etc/systemd/system/multi-user.target.wants/serve.service"));
  rmSync(join(root, "etc/sysctl.d/90-ferry.conf"));
  writeFileSync(join(root, "etc/ferry/pki/stranger.key"), "");
  const drifted = await installer("audit", "--root", root);
  assertCode(drifted, 9);
  for (const line of [
    /changed.*serve\.conf/,
    /mode.*serve-again/,
    /missing.*serve\.service/,
    /missing.*90-ferry/,
    /extra.*stranger/,
  ]) {
    assert.match(drifted.stdout, line);
  }
  appendFileSync(join(root, "etc/hosts"), "10.9.9.9 printer\n");
  const undone = await installer("undo", "--root", root);
  assertCode(undone, 0);
  assert.match(undone.stderr, /serve\.conf was edited/);
  assert.equal(readFileSync(join(root, "etc/ferry/serve.conf"), "utf8"), "listen: mine\n");
  assert.match(readFileSync(join(root, "etc/ferry/serve.conf.kubeferry-kept"), "utf8"), /debug: true/);
  assert.equal(readFileSync(join(root, "etc/hosts"), "utf8"), "127.0.0.1 localhost\n10.9.9.9 printer\n");
  assert.ok(!existsSync(join(root, "var/lib/kubeferry")));
});

test("symbolic links of the tree never lead out of it", async () => {
  const outside = join(folder, "outside");
  mkdirSync(outside);
  const root = join(folder, "linked");
  mkdirSync(join(root, "real"), { recursive: true });
  symlinkSync(outside, join(root, "opt"));
  symlinkSync("../../../../../../real", join(root, "etc"));
  // The absolute link means a folder inside the tree, which is not there: the host itself could not use it either.
  const refused = await installer(...select(root));
  assert.notEqual(refused.code, 0);
  assert.deepEqual(Object.keys(pictureOf(outside)), ["."]);
  mkdirSync(join(root, outside), { recursive: true });
  assertCode(await installer(...select(root)), 0);
  assert.deepEqual(Object.keys(pictureOf(outside)), ["."]);
  assert.ok(existsSync(join(root, outside, "ferry/bin/serve")));
  assert.ok(existsSync(join(root, "real/ferry/serve.conf")));
  assertCode(await installer("undo", "--root", root), 0);
});

test("killed at random moments in apply and in undo, it completes when run again, and undo leaves nothing", async (t) => {
  const many: FileWish[] = Array.from({ length: 60 }, (_, number) => ({
    path: `/opt/ferry/share/${number % 7}/file-${number}`,
    content: `content ${number % 40}\n`.repeat(number * 20),
  }));
  const large = await writeNodeBundle(join(folder, "large.tar"), { files: [...nodeFiles, ...many] });
  const seen: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const root = hostTree();
    const start = pictureOf(root);
    const args = ["--bundle", large, "--role", "worker", "--ip", "10.0.0.9", "--root", root];
    seen.push(`apply ${await killAfter(args, root, "done", randomInt(0, 90))}`);
    if (round % 2 === 0) {
      assertCode(await installer(...args), 0);
      assertCode(await installer("audit", "--root", root), 0);
    }
    seen.push(`undo ${await killAfter(["undo", "--root", root], root, "undone", randomInt(0, 90))}`);
    assertCode(await installer("undo", "--root", root), 0);
    assert.deepEqual(pictureOf(root), start, `round ${round}: ${seen.slice(-2).join(", ")}`);
  }
  t.diagnostic(seen.join("; "));
});

/** Starts it and kills it once its journal has `records` of a type; says how many there were when it was gone. */
async function killAfter(
  args: readonly string[],
  root: string,
  type: "done" | "undone",
  records: number,
): Promise<string> {
  const running = startInstaller(args);
  const journal = join(root, "var/lib/kubeferry/journal");
  const number = (): number => {
    if (!existsSync(journal)) return 0;
    return decodeRecords(readFileSync(journal, "utf8")).filter((record) => record.type === type).length;
  };
  const watch = new AbortController();
  void running.ended.then(() => watch.abort());
  while (!watch.signal.aborted && number() < records) await new Promise((resolve) => setImmediate(resolve));
  // With none to wait for, the moment is one of the start-up.
  if (records === 0) await new Promise((resolve) => setTimeout(resolve, randomInt(0, 400)));
  running.kill("SIGKILL");
  const { code, signal } = await running.ended;
  return `${records} (${signal ?? `ended with ${code}`})`;
}
