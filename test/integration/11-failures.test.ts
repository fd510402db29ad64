/** What goes wrong on hosts: full and read-only file systems, a second installer, Ctrl-C, a wrong key, a broken bundle. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { freshRoots } from "../builders/fresh-roots.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, pictureOf, type Ran, startInstaller } from "../programs/tree.ts";

let folder: string;
let bundle: string;
const mounted: string[] = [];
const isRoot = process.getuid?.() === 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-failures-"));
  bundle = await writeNodeBundle(join(folder, "bundle.tar"));
});
after(() => {
  for (const path of mounted.toReversed()) execFileSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
});

const freshRoot = freshRoots(() => folder);

function mount(path: string, options: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", path]);
  mounted.push(path);
}

const select = (root: string, from = bundle): string[] => [
  "--bundle",
  from,
  "--role",
  "worker",
  "--ip",
  "10.0.0.9",
  "--root",
  root,
];
const pass = (...names: string[]): string[] => names.flatMap((name) => ["--skip-preflight", name]);

function assertCode(ran: Ran, code: number, said?: RegExp): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
  if (said !== undefined) assert.match(ran.stderr, said);
}

test("too small a file system is found before anything is changed", { skip: !isRoot }, async () => {
  const root = freshRoot();
  mount(join(root, "opt"), "size=64k,mode=755");
  const start = pictureOf(root);
  assertCode(await installer(...select(root)), 6, /PREFLIGHT.*disk-space/);
  assert.deepEqual(pictureOf(root), start);
});

test(
  "a target that fills up in the middle is taken back: exit 7, and the host is as it was",
  { skip: !isRoot },
  async () => {
    const root = freshRoot();
    mount(join(root, "opt"), "size=64k,mode=755");
    const start = pictureOf(root);
    const ran = await installer(...select(root), ...pass("disk-space"));
    assertCode(ran, 7, /APPLY_FAILED_RESTORED.*the file system is full/);
    assert.deepEqual(pictureOf(root), start);
  },
);

test(
  "with --no-restore what was done stays, the same command ends it once there is room",
  { skip: !isRoot },
  async () => {
    const root = freshRoot();
    const small = join(root, "opt");
    mount(small, "size=64k,mode=755");
    const start = pictureOf(root);
    assertCode(await installer(...select(root), ...pass("disk-space"), "--no-restore"), 8, /APPLY_FAILED/);
    assert.ok(existsSync(join(root, "etc/ferry/serve.conf")));
    execFileSync("mount", ["-o", "remount,size=16m", small]);
    assertCode(await installer(...select(root)), 0);
    assertCode(await installer("audit", "--root", root), 0);
    assertCode(await installer("undo", "--root", root), 0);
    assert.deepEqual(pictureOf(root), start);
  },
);

test("no room for the stage: exit 6, and not even the folder of Kubeferry is left", { skip: !isRoot }, async () => {
  const root = freshRoot();
  mount(join(root, "var/lib"), "size=100k,mode=755");
  const start = pictureOf(root);
  assertCode(await installer(...select(root), ...pass("disk-space")), 6, /NO_SPACE/);
  assert.deepEqual(pictureOf(root), start);
});

test("a full inode table is found in preflight, and taken back when it is passed over", { skip: !isRoot }, async () => {
  const root = freshRoot();
  mount(join(root, "etc"), "size=16m,nr_inodes=6,mode=755");
  const start = pictureOf(root);
  assertCode(await installer(...select(root)), 6, /PREFLIGHT.*inodes/);
  assertCode(await installer(...select(root), ...pass("inodes")), 7, /APPLY_FAILED_RESTORED/);
  assert.deepEqual(pictureOf(root), start);
});

test("a read-only target is found in preflight, and taken back when it is passed over", { skip: !isRoot }, async () => {
  const root = freshRoot();
  mount(join(root, "opt"), "size=16m,mode=755");
  execFileSync("mount", ["-o", "remount,ro", join(root, "opt")]);
  const start = pictureOf(root);
  assertCode(await installer(...select(root)), 6, /PREFLIGHT.*read-only/);
  assertCode(await installer(...select(root), ...pass("read-only")), 7, /APPLY_FAILED_RESTORED.*read-only/);
  assert.deepEqual(pictureOf(root), start);
});

/** How a file or folder can be so that even root cannot put another in its place; each gives what makes it free again. */
const fixed: Record<string, (path: string) => () => void> = {
  "an immutable": (path) => {
    execFileSync("chattr", ["+i", path]);
    return () => execFileSync("chattr", ["-i", path]);
  },
  "a bind-mounted": (path) => {
    execFileSync("mount", ["--bind", path, path]);
    return () => execFileSync("umount", [path]);
  },
};
for (const [how, fix] of Object.entries(fixed)) {
  test(`${how} file in the way is taken back: exit 7, and the host is as it was`, { skip: !isRoot }, async () => {
    const root = freshRoot();
    mkdirSync(join(root, "etc/systemd/system"), { recursive: true });
    const own = join(root, "etc/systemd/system/serve.service");
    writeFileSync(own, "[Service]\nExecStart=/usr/bin/other\n");
    const start = pictureOf(root);
    const free = fix(own);
    try {
      assertCode(await installer(...select(root)), 7, /APPLY_FAILED_RESTORED.*serve\.service[^]*(lsattr|findmnt)/);
      assert.deepEqual(pictureOf(root), start);
    } finally {
      free();
    }
  });
}

test("a file that becomes immutable later keeps undo from nothing but itself", { skip: !isRoot }, async () => {
  const root = freshRoot();
  const start = pictureOf(root);
  assertCode(await installer(...select(root)), 0);
  const file = join(root, "etc/ferry/serve.conf");
  execFileSync("chattr", ["+i", file]);
  try {
    assertCode(await installer("undo", "--root", root), 8, /UNDO_INCOMPLETE/);
    assert.ok(!existsSync(join(root, "opt/ferry")), "all the rest is gone");
  } finally {
    execFileSync("chattr", ["-i", file]);
  }
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
});

test("a second installer is told who is at work; Ctrl-C stops between two steps, and undo takes them back", async () => {
  const root = freshRoot();
  const start = pictureOf(root);
  const many: FileWish[] = Array.from({ length: 400 }, (_, number) => ({
    path: `/opt/ferry/share/file-${number}`,
    content: `content ${number}\n`,
  }));
  const large = await writeNodeBundle(join(folder, "large.tar"), { files: [...nodeFiles, ...many] });
  const first = startInstaller(select(root, large));
  const journal = join(root, "var/lib/kubeferry/journal");
  while (!existsSync(journal)) await new Promise((resolve) => setTimeout(resolve, 5));
  // Held still, so that the second one surely meets it.
  first.kill("SIGSTOP");
  const second = await installer("undo", "--root", root);
  first.kill("SIGCONT");
  first.kill("SIGINT");
  assertCode(second, 6, /LOCKED.*--role worker/);
  assert.match(second.stderr, new RegExp(`process ${first.pid}`));
  assertCode(await first.ended, 130, /INTERRUPTED/);
  assert.ok(!existsSync(join(root, "opt/ferry/share/file-399")), "it was stopped before its end");
  assertCode(await installer(...select(root)), 6, /interrupted and must be ended first/);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
});

test("sealed secrets want the node's key, and the key of another node does not do", async () => {
  const [own, other] = [await generateX25519Identity(), await generateX25519Identity()];
  const sealed = await writeNodeBundle(join(folder, "sealed.tar"), { recipients: [await identityToRecipient(own)] });
  const root = freshRoot();
  const start = pictureOf(root);
  const keys = join(folder, "cluster.keys");
  writeFileSync(keys, `worker ${other}\n`);
  assertCode(await installer(...select(root, sealed)), 5, /KEY_MISSING/);
  assertCode(await installer(...select(root, sealed), "--key", keys), 5, /KEY_WRONG/);
  assertCode(await installer(...select(root, sealed), "--key", join(folder, "none")), 5, /KEY_MISSING/);
  assert.deepEqual(pictureOf(root), start);
  writeFileSync(keys, `# keys\nn1 ${other}\nworker ${own}\n`);
  assertCode(await installer(...select(root, sealed), "--key", keys), 0);
  assert.equal(readFileSync(join(root, "etc/ferry/pki/serve.key"), "utf8"), "a key\n");
  const again = freshRoot();
  assertCode(await startInstaller(select(again, sealed), { KUBEFERRY_KEY: own }).ended, 0);
});

test("a bundle with one flipped byte changes nothing: exit 5 with wanted and found", async () => {
  const root = freshRoot();
  const start = pictureOf(root);
  const bytes = readFileSync(bundle);
  const at = bytes.length - 3000;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(folder, "flipped.tar"), bytes);
  assertCode(await installer(...select(root, join(folder, "flipped.tar"))), 5, /expected:[^]*found:/);
  assert.deepEqual(pictureOf(root), start);
});

test("wrong calls end with 2 or 3 and say what is right", async () => {
  const root = freshRoot();
  assertCode(await installer("--bundle", bundle, "--root", root), 2, /--role is missing/);
  assertCode(await installer("--bundle", bundle, "--root", root, "--role", "etcd"), 2, /10\.0\.0\.11 \(n1\)/);
  assertCode(
    await installer("--bundle", bundle, "--root", root, "--role", "etcd", "--ip", "10.0.0.9"),
    3,
    /NODE_UNKNOWN[^]*10\.0\.0\.11 \(n1\)/,
  );
  assertCode(await installer("--no-such-option"), 2);
  assertCode(await installer("undo", "--root", root), 0);
});
