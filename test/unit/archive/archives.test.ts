/** What good archives give, made by the programs that make them in the field. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { digestOf } from "#bundle";
import { openedFile } from "../../../builder/sources/source.ts";
import { takeArtifact } from "../../../builder/sources/artifact.ts";
import type { Members } from "../../../builder/store/members.ts";
import { Store } from "../../../builder/store/store.ts";
import { deb } from "../../vectors/archives/containers.ts";
import { tar } from "../../vectors/archives/tar.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-archives-"));
after(() => rmSync(folder, { recursive: true }));
const store = await Store.open(join(folder, "store"));

/** A tree as a release has it: a large binary, a hard link, a link before its target and one after it. */
const tree = join(folder, "tree");
const binary = Buffer.alloc(1_200_000);
for (let at = 0, state = 1; at < binary.length; at += 4) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  binary.writeUInt32LE(state, at);
}
mkdirSync(join(tree, "usr/bin"), { recursive: true });
mkdirSync(join(tree, "usr/lib/cni/sub"), { recursive: true });
writeFileSync(join(tree, "usr/bin/etcd"), binary);
linkSync(join(tree, "usr/bin/etcd"), join(tree, "usr/bin/etcd-hard"));
symlinkSync("etcd", join(tree, "usr/bin/a-link"));
symlinkSync("/usr/bin/etcd", join(tree, "usr/bin/z-link"));
writeFileSync(join(tree, "usr/lib/cni/bridge"), "bridge");
writeFileSync(join(tree, "usr/lib/cni/host-local"), "host-local");
writeFileSync(join(tree, "usr/lib/cni/sub/deeper"), "deeper");
chmodSync(join(tree, "usr/bin/etcd"), 0o755);
const long = `usr/share/${"long-".repeat(30)}name`;
mkdirSync(join(tree, "usr/share"));
writeFileSync(join(tree, long), "long");

let count = 0;
async function take(
  bytes: Buffer | string,
  wanted: readonly string[],
  pinnedBy: "release" | "operator" = "release",
): Promise<Members> {
  const path = typeof bytes === "string" ? bytes : join(folder, `archive-${(count += 1)}`);
  if (typeof bytes !== "string") writeFileSync(path, bytes);
  const content = readFileSync(path);
  const artifact = {
    digest: `sha512:${createHash("sha512").update(content).digest("hex")}`,
    size: content.length,
    pinnedBy,
    files: Object.fromEntries(wanted.map((name) => [name, "x"])),
  };
  return await takeArtifact(artifact, openedFile(path, path), { store });
}

function digests(members: Members): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(members).map(([pattern, all]) => [pattern, all.map(({ digest }) => digest)]),
  );
}

function gnuTar(name: string, ...options: string[]): string {
  const path = join(folder, name);
  execFileSync("tar", ["-cf", path, ...options, "--sort=name", "-C", tree, "."]);
  return path;
}

for (const [name, options] of Object.entries({
  "plain.tar": ["--format=gnu"],
  "ustar.tar.gz": ["--format=posix", "-z"],
  "gnu.tar.xz": ["--format=gnu", "-J"],
  "posix.tar.zst": ["--format=posix", "--zstd"],
})) {
  test(`GNU tar's ${name} gives its members, long names and hard links`, async () => {
    const wanted = ["usr/bin/etcd", "usr/bin/etcd-hard", "usr/bin/a-link", "usr/lib/cni/*", long];
    const members = await take(gnuTar(name, ...options), wanted);
    assert.deepEqual(digests(members), {
      "usr/bin/etcd": [digestOf(binary)],
      "usr/bin/etcd-hard": [digestOf(binary)],
      "usr/bin/a-link": [digestOf(binary)],
      "usr/lib/cni/*": [digestOf("bridge"), digestOf("host-local")],
      [long]: [digestOf("long")],
    });
    assert.deepEqual(
      members["usr/lib/cni/*"]?.map(({ member }) => member),
      ["usr/lib/cni/bridge", "usr/lib/cni/host-local"],
    );
    assert.equal(digestOf(readFileSync(store.path(digestOf(binary)))), digestOf(binary));
  });
}

test("dpkg-deb's packages give their members, and absolute links lead to the package's own root", async () => {
  const control = join(folder, "package");
  execFileSync("cp", ["-a", tree, control]);
  mkdirSync(join(control, "DEBIAN"));
  writeFileSync(
    join(control, "DEBIAN/control"),
    "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n",
  );
  for (const compression of ["xz", "gzip", "zstd", "none"]) {
    const path = join(folder, `${compression}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "-b", control, path], { stdio: "ignore" });
    const members = await take(path, ["usr/bin/z-link", "usr/lib/cni/*"]);
    assert.deepEqual(digests(members), {
      "usr/bin/z-link": [digestOf(binary)],
      "usr/lib/cni/*": [digestOf("bridge"), digestOf("host-local")],
    });
  }
});

test("xz that is cut, broken, or of a kind that cannot be read is refused, and the next one is read well", async () => {
  const whole = readFileSync(gnuTar("whole.tar.xz", "--format=gnu", "-J"));
  const broken = Buffer.from(whole);
  broken.fill(0x55, 1000, 1100);
  await assert.rejects(take(whole.subarray(0, whole.length >> 1), ["usr/share/*"]), { code: "TRUNCATED" });
  await assert.rejects(take(broken, ["usr/share/*"]), { code: "ARCHIVE_INVALID" });
  const trailed = Buffer.concat([whole, Buffer.from("and something else".repeat(9))]);
  await assert.rejects(take(trailed, ["usr/share/*"], "operator"), { code: "ARCHIVE_INVALID" });
  const plain = gnuTar("odd.tar");
  execFileSync("xz", ["-k", "--check=sha256", plain]);
  await assert.rejects(take(`${plain}.xz`, ["usr/share/*"]), {
    code: "ARCHIVE_INVALID",
    found: "another check or filter",
  });
  // Left early, and several at once: the decoder has one memory for all.
  const all = Array.from({ length: 4 }, () => take(whole, ["usr/bin/etcd"]));
  for (const members of await Promise.all(all))
    assert.deepEqual(digests(members), { "usr/bin/etcd": [digestOf(binary)] });
});

test("several xz streams, as parallel compressors write them, are one", async () => {
  const plain = readFileSync(gnuTar("two.tar", "--format=gnu"));
  const xz = (input: Buffer): Buffer => execFileSync("xz", ["-c"], { input, maxBuffer: 1 << 26 });
  const bytes = Buffer.concat([xz(plain.subarray(0, 5000)), xz(plain.subarray(5000))]);
  assert.deepEqual(digests(await take(bytes, ["usr/bin/etcd"])), { "usr/bin/etcd": [digestOf(binary)] });
});

test("several zstd frames and skippable ones are one stream", async () => {
  const bytes = tar([
    { name: "a", content: "1".repeat(5000) },
    { name: "b", content: "2" },
  ]);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const frames = Buffer.concat([
    zstdCompressSync(bytes.subarray(0, 700)),
    skippable,
    zstdCompressSync(bytes.subarray(700)),
  ]);
  assert.deepEqual(digests(await take(frames, ["b"])), { b: [digestOf("2")] });
});

test("a link that nobody wants may be absolute, in any archive", async () => {
  const bytes = tar([
    { name: "docs", type: "2", target: "/usr/share/doc" },
    { name: "tool", content: "tool" },
  ]);
  assert.deepEqual(digests(await take(bytes, ["tool"])), { tool: [digestOf("tool")] });
});

test("reading stops after the last wanted member, unless only the operator vouches for the archive", async () => {
  const twice = tar([
    { name: "tool", content: "1" },
    { name: "tool", content: "2" },
  ]);
  assert.deepEqual(digests(await take(twice, ["tool"], "release")), { tool: [digestOf("1")] });
  await assert.rejects(take(twice, ["tool"], "operator"), { code: "MEMBER_DUPLICATE" });
});

test("a full disk is told as one", async () => {
  const path = join(folder, "some");
  writeFileSync(path, "some");
  const digest = `sha256:${digestOf("some")}`;
  const artifact = { digest, size: null, pinnedBy: "release" as const, files: { ".": "b" } };
  const full = await Store.open(join(folder, "full"));
  full.stage = () => Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
  const opened = openedFile(path, path);
  await assert.rejects(takeArtifact(artifact, opened, { store: full }), { code: "NO_SPACE", where: full.dir });
});

test("the member . is the artifact itself", async () => {
  assert.deepEqual(digests(await take(Buffer.from("#!/bin/sh\n"), ["."])), { ".": [digestOf("#!/bin/sh\n")] });
});

test("an archive with another digest is refused as such, even when it is broken as well, and keeps nothing", async () => {
  const path = join(folder, "wrong");
  writeFileSync(path, deb(Buffer.from("no tar")));
  const wanted = `sha256:${digestOf("something else")}`;
  const artifact = { digest: wanted, size: null, pinnedBy: "release" as const, files: { tool: "tool" } };
  const opened = openedFile("https://example.invalid/x.deb", path);
  const found = `sha256:${digestOf(readFileSync(path))}`;
  await assert.rejects(takeArtifact(artifact, opened, { store }), {
    code: "DIGEST_MISMATCH",
    where: "https://example.invalid/x.deb",
    expected: wanted,
    found,
  });
});
