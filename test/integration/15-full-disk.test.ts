/**
 * Not a byte, or not an inode, is free: undo, rollback and the restore of a failed apply work all the same, on small real
 * file systems. All of the node lies on the one that is full, with Kubeferry's own folder.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeRecords } from "../../installer/journal/journal.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, pictureOf, type Ran, startInstaller } from "../programs/tree.ts";

const isRoot = process.getuid?.() === 0;
const mounted: string[] = [];
let folder: string;
let bundle: string;
let newer: string;

const many = (text: string): FileWish[] =>
  Array.from({ length: 80 }, (_, number) => ({
    path: `/opt/ferry/share/file-${number}`,
    content: `${text} ${number}\n`.repeat(200),
  }));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-full-"));
  // What comes last in the plan needs room beyond the stage: the second of two equal files is a copy.
  const last = randomBytes(12_000);
  const copies = ["a", "b", "c"].map((name): FileWish => ({ path: `/opt/ferry/zz/${name}`, content: last }));
  bundle = await writeNodeBundle(join(folder, "bundle.tar"), { files: [...nodeFiles, ...many("older"), ...copies] });
  newer = await writeNodeBundle(join(folder, "newer.tar"), { files: [...nodeFiles, ...many("newer")] });
});
after(() => {
  for (const path of mounted.toReversed()) execFileSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
});

interface Disk {
  readonly mount: string;
  readonly root: string;
}

let count = 0;
const fileSystems: Record<string, () => string> = {
  tmpfs: () => {
    const path = place();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,nr_inodes=4000,mode=755", "none", path]);
    return path;
  },
  ext4: () => {
    const path = place();
    const image = `${path}.ext4`;
    writeFileSync(image, "");
    truncateSync(image, 64 * 1024 * 1024);
    execFileSync("mkfs.ext4", ["-q", "-m", "0", "-N", "4000", image]);
    execFileSync("mount", ["-o", "loop", image, path]);
    return path;
  },
};

function place(): string {
  count += 1;
  const path = join(folder, `disk-${count}`);
  mkdirSync(path);
  return path;
}

/** A mounted file system with a host's tree on it, in which some files stand that will be changed. */
function disk(kind: string): Disk {
  const mount = fileSystems[kind]?.() ?? "";
  mounted.push(mount);
  const root = join(mount, "root");
  for (const path of ["etc/ferry", "opt/ferry/bin", "var/lib"]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "etc/fstab"), "/dev/vda1 / ext4 defaults 0 1\n/dev/vda2\tnone  swap sw 0 0\n");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost");
  writeFileSync(join(root, "etc/ferry/serve.conf"), "listen: mine\n");
  writeFileSync(join(root, "opt/ferry/bin/serve"), "an older program");
  return { mount, root };
}

const fillers = {
  /** Incompressible, first in large pieces, then to the last byte. */
  bytes({ mount }: Disk): void {
    const file = openSync(join(mount, "filler"), "w");
    for (let size = 1024 * 1024; size >= 1;) {
      try {
        writeSync(file, randomBytes(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
    closeSync(file);
    execFileSync("sync", ["-f", mount]);
    assert.throws(() => writeFileSync(join(mount, "root/more"), randomBytes(8192)), /ENOSPC/);
    rmSync(join(mount, "root/more"), { force: true });
  },
  inodes({ mount }: Disk): void {
    mkdirSync(join(mount, "fillers"), { recursive: true });
    assert.throws(() => {
      for (let number = 0; ; number += 1) writeFileSync(join(mount, "fillers", String(number)), "");
    }, /ENOSPC/);
    assert.equal(statfsSync(mount).ffree, 0);
  },
};

const select = (root: string, from: string): string[] => [
  ...["--bundle", from, "--role", "worker", "--ip", "10.0.0.9", "--root", root],
];

function assertCode(ran: Ran, code: number, said?: RegExp): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
  assert.doesNotMatch(ran.stderr, /This is a bug/);
  if (said !== undefined) assert.match(ran.stderr, said);
}

for (const kind of Object.keys(fileSystems)) {
  for (const [what, fill] of Object.entries(fillers)) {
    test(`undo with no ${what} free on ${kind}`, { skip: !isRoot }, async () => {
      const host = disk(kind);
      const start = pictureOf(host.root);
      assertCode(await installer(...select(host.root, bundle)), 0);
      fill(host);
      assertCode(await installer("audit", "--root", host.root), 0);
      assertCode(await installer("undo", "--root", host.root), 0);
      assert.deepEqual(pictureOf(host.root), start);
    });

    test(`rollback with no ${what} free on ${kind}, and undo after it`, { skip: !isRoot }, async () => {
      const host = disk(kind);
      const start = pictureOf(host.root);
      assertCode(await installer(...select(host.root, bundle)), 0);
      const older = installed(host.root);
      assertCode(await installer("upgrade", "--bundle", newer, "--root", host.root), 0);
      assert.notDeepEqual(installed(host.root), older);
      fill(host);
      assertCode(await installer("rollback", "--root", host.root), 0);
      assert.deepEqual(installed(host.root), older);
      fill(host);
      assertCode(await installer("undo", "--root", host.root), 0);
      assert.deepEqual(pictureOf(host.root), start);
    });

    test(`an apply that finds no ${what} on ${kind} is taken back`, { skip: !isRoot }, async () => {
      const host = disk(kind);
      const start = pictureOf(host.root);
      const running = startInstaller(select(host.root, bundle));
      const journal = join(host.root, "var/lib/kubeferry/journal");
      const isReady = (): boolean =>
        existsSync(journal) && decodeRecords(readFileSync(journal, "utf8")).some(({ type }) => type === "ready");
      while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 2));
      running.kill("SIGSTOP");
      fill(host);
      running.kill("SIGCONT");
      const ran = await running.ended;
      assertCode(ran, 7, /APPLY_FAILED_RESTORED/);
      assert.deepEqual(pictureOf(host.root), start);
    });

    test(`an upgrade with no ${what} free on ${kind} changes nothing: exit 6`, { skip: !isRoot }, async () => {
      const host = disk(kind);
      assertCode(await installer(...select(host.root, bundle)), 0);
      const older = installed(host.root);
      fill(host);
      const skip = ["--skip-preflight", "disk-space", "--skip-preflight", "inodes"];
      assertCode(await installer("upgrade", "--bundle", newer, "--root", host.root, ...skip), 6, /NO_SPACE/);
      assert.deepEqual(installed(host.root), older);
      assertCode(await installer("audit", "--root", host.root), 0);
    });

    test(`an installation with no ${what} free on ${kind} leaves nothing: exit 6`, { skip: !isRoot }, async () => {
      const host = disk(kind);
      const start = pictureOf(host.root);
      fill(host);
      assertCode(await installer(...select(host.root, bundle)), 6, /PREFLIGHT/);
      const skip = ["--skip-preflight", "disk-space", "--skip-preflight", "inodes"];
      assertCode(await installer(...select(host.root, bundle), ...skip), 6, /NO_SPACE/);
      assert.deepEqual(pictureOf(host.root), start);
    });
  }
}

/** The tree without Kubeferry's own folder, which grows. */
function installed(root: string): Record<string, string> {
  const all = Object.entries(pictureOf(root));
  return Object.fromEntries(all.filter(([path]) => !path.startsWith("var/lib/kubeferry")));
}

test("room for undo is allocated, not promised", async () => {
  const root = join(folder, "reserved");
  mkdirSync(join(root, "var/lib"), { recursive: true });
  assertCode(await installer(...select(root, bundle)), 0);
  const reserve = join(root, "var/lib/kubeferry/reserve");
  assert.equal(readdirSync(reserve).length, 16);
  const blocks = execFileSync("du", ["--block-size=1", "--summarize", reserve], { encoding: "utf8" });
  assert.ok(Number.parseInt(blocks, 10) >= 16 * 1024 * 1024, blocks);
});
