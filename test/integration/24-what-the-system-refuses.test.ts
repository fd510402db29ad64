/** Not root, a wrong place, a full disk, too few files, a dying medium: each is told with its exit code, and none is a bug. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freshRoots } from "../builders/fresh-roots.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { type StandInCluster, standInCluster } from "../fakes/stand-in-cluster.ts";
import { pictureOf, type Ran } from "../programs/tree.ts";

const project = join(import.meta.dirname, "../..");
const isRoot = process.getuid?.() === 0;
const asRoot = { skip: !isRoot };
const mounted: string[] = [];
let folder: string;
let bundle: string;
let cluster: StandInCluster;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-refusals-"));
  chmodSync(folder, 0o755);
  const many = Array.from({ length: 60 }, (_, number): FileWish => ({
    path: `/opt/ferry/${number}`,
    content: `${number}`,
  }));
  bundle = await writeNodeBundle(join(folder, "bundle.tar"), { files: [...nodeFiles, ...many] });
  cluster = await standInCluster(join(folder, "cluster"));
});
after(() => {
  for (const path of mounted.toReversed()) execFileSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
});

const freshRoot = freshRoots(() => folder);

const install = [process.execPath, join(project, "installer/main.ts")];
const kubeferry = [process.execPath, join(project, "builder/main.ts")];
const nobody = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"];
const select = (root: string, from = bundle): string[] => [
  ...["--bundle", from, "--role", "worker", "--ip", "10.0.0.9", "--root", root],
];
const building = (): string[] => ["build", cluster.config, ...cluster.store, ...cluster.installers];

function run(...argv: readonly string[]): Ran {
  const [program = "", ...args] = argv;
  const { status, signal, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { code: status, signal, stdout, stderr };
}

function assertCode(ran: Ran, code: number, said: RegExp): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
  assert.match(ran.stderr, said);
  assert.doesNotMatch(ran.stderr, /This is a bug|^\s+at /m);
}

test("who is not root is told so, and nothing is changed", asRoot, () => {
  const root = freshRoot();
  const start = pictureOf(root);
  assertCode(run(...nobody, ...install, ...select(root)), 6, /DENIED.*may not/);
  assert.deepEqual(pictureOf(root), start);
  assertCode(run(...install, ...select(root)), 0, /^/);
  for (const command of ["undo", "audit", "status"]) {
    assertCode(run(...nobody, ...install, command, "--root", root), 6, /DENIED/);
  }
  assertCode(run(...install, "undo", "--root", root), 0, /^/);
  assert.deepEqual(pictureOf(root), start);
});

test("a --root that is no folder is a wrong call", () => {
  for (const root of [join(folder, "missing"), bundle]) {
    for (const words of [select(root), ["undo", "--root", root], ["audit", "--root", root]]) {
      assertCode(run(...install, ...words), 2, /USAGE: --root is no folder/);
    }
  }
});

test("no command needs TMPDIR", () => {
  const root = freshRoot();
  const start = pictureOf(root);
  const nowhere = ["env", `TMPDIR=${join(folder, "missing")}`];
  assertCode(run(...nowhere, ...install, ...select(root)), 0, /^/);
  assertCode(run(...nowhere, ...install, "undo", "--root", root), 0, /^/);
  assert.deepEqual(pictureOf(root), start);
  assertCode(run(...nowhere, ...kubeferry, ...building(), "-o", join(folder, "tmpdir.tar")), 0, /^/);
});

test("32 open files are enough", () => {
  const root = freshRoot();
  const start = pictureOf(root);
  const few = ["bash", "-c", 'ulimit -n 32; exec "$@"', "bash"];
  assertCode(run(...few, ...install, ...select(root)), 0, /^/);
  assertCode(run(...few, ...install, "audit", "--root", root), 0, /^/);
  assertCode(run(...few, ...install, "undo", "--root", root), 0, /^/);
  assert.deepEqual(pictureOf(root), start);
  assertCode(run(...few, ...kubeferry, ...building(), "-o", join(folder, "few.tar")), 0, /^/);
});

test("build and split on a full disk leave nothing there", asRoot, () => {
  const whole = join(folder, "whole.tar");
  assertCode(run(...kubeferry, ...building(), "-o", whole), 0, /^/);
  const small = join(folder, "small");
  mkdirSync(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=100k,mode=755", "none", small]);
  mounted.push(small);
  assertCode(run(...kubeferry, ...building(), "-o", join(small, "out.tar")), 6, /NO_SPACE[^]*df -h/);
  assertCode(run(...kubeferry, "split", whole, "--size", "70kB", "-o", small), 6, /NO_SPACE[^]*df -h/);
  assert.deepEqual(readdirSync(small), []);
});

test("a place where this user may not write is told", asRoot, () => {
  const whole = join(folder, "denied.tar");
  assertCode(run(...kubeferry, ...building(), "-o", whole), 0, /^/);
  const closed = join(folder, "closed");
  mkdirSync(closed);
  assertCode(run(...nobody, ...kubeferry, "split", whole, "--size", "70kB", "-o", closed), 6, /DENIED/);
  assert.deepEqual(readdirSync(closed), []);
});

test("a bundle that cannot be read is told: a dying medium, another user's file", asRoot, () => {
  const root = freshRoot();
  // Reading the memory of a process at its beginning is an input/output error of the kernel.
  assertCode(run(...install, ...select(root, "/proc/self/mem")), 5, /UNREADABLE.*input\/output/);
  const closed = join(folder, "closed.tar");
  copyFileSync(bundle, closed);
  chmodSync(closed, 0o600);
  assertCode(run(...nobody, ...install, ...select(root, closed)), 5, /UNREADABLE.*may not read/);
  assertCode(run(...kubeferry, "verify", "/proc/self/mem"), 5, /UNREADABLE/);
});

test(
  "undo removes a tree of an overlay, whose files have other devices, and leaves what is mounted in it",
  asRoot,
  () => {
    const place = join(folder, "overlay");
    mkdirSync(place);
    const mounts = [
      "mkdir -p lower/gone lower/kept/folder memory tree && touch lower/gone/file lower/kept/file",
      "mount -t tmpfs tmpfs memory && mkdir memory/upper memory/work memory/theirs && touch memory/theirs/word",
      "mount -t overlay overlay -o lowerdir=lower,upperdir=memory/upper,workdir=memory/work tree && echo new > tree/gone/new",
      "mount --bind memory/theirs tree/kept/folder && mount --bind memory/theirs/word tree/kept/file",
    ];
    const module = JSON.stringify(join(project, "installer/host/local-files.ts"));
    const program = `import { readdirSync } from "node:fs";
    const { removeTree } = await import(${module});
    removeTree(process.cwd() + "/tree/gone");
    try { removeTree(process.cwd() + "/tree/kept"); } catch ({ code }) { console.log(code); }
    console.log(readdirSync("tree", { recursive: true }).toSorted().join(" "));`;
    const inside = `cd "$2" && ${mounts.join(" && ")} && exec "$0" --input-type=module --eval "$1"`;
    const { stdout, stderr } = run("unshare", "--mount", "/bin/sh", "-c", inside, process.execPath, program, place);
    assert.equal(stdout, "UNDO_INCOMPLETE\nkept kept/file kept/folder kept/folder/word\n", stderr);
  },
);

test("a name that is no UTF-8, and folders as deep as a path may be, are told", () => {
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["-xf", bundle, "-C", unpacked]);
  const odd = Buffer.concat([Buffer.from(`${unpacked}/`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(odd, "");
  assertCode(run(...install, ...select(freshRoot(), unpacked)), 5, /PATH_ESCAPES/);
  rmSync(odd);
  // Deeper than a whole path may be long: made from the inside.
  const deepen = `mkdir -p ${"d/".repeat(1500)}; cd ${"d/".repeat(1500)}; mkdir -p ${"d/".repeat(1500)}`;
  execFileSync("bash", ["-c", deepen], { cwd: unpacked });
  const ran = run(...install, ...select(freshRoot(), unpacked));
  execFileSync("rm", ["-rf", unpacked]);
  assertCode(ran, 5, /error [A-Z_]+:/);
});
