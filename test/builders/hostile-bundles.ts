/**
 * The hostile bundles of test/vectors/bundles: each is the sample with one thing wrong, and says which code and member
 * must come of it. `npx node test/builders/hostile-bundles.ts` writes them again, byte for byte the same; the good
 * ones, one for each format version, were written once and are never written again.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type BundleIndex, digestOf } from "#bundle";
import type { ErrorCode } from "#cli/errors";
import {
  type Sample,
  type SampleMember,
  memberBytes,
  sample,
  sampleContents,
  sampleNode,
  tarOf,
} from "./sample-bundle.ts";
import {
  type Expectation,
  type Hostile,
  changeSums,
  changed,
  dirtyPadding,
  edited,
  flipped,
  headerOf,
  padded,
  relisted,
  shifted,
  withBytes,
} from "./break-bundle.ts";

const blobOf = (good: Sample): string => `blobs/sha256/${good.blob}`;
const extra: SampleMember = { path: "extra", mode: 0o644, content: Buffer.from("x") };

/** All of them, always the same bytes. */
export async function hostileBundles(): Promise<Hostile[]> {
  const good = await sample();
  const blob = blobOf(good);
  const secret = `secrets/${sampleNode}.tar`;
  const list: Hostile[] = [];
  const add = (name: string, code: ErrorCode, member: string, bytes: Buffer): void => {
    list.push({ name, code, member, bytes });
  };

  // The tar itself
  const whole = tarOf(good.members);
  add("truncated-in-data", "TRUNCATED", secret, whole.subarray(0, whole.length - 1024 - 1600));
  add(
    "truncated-before-end-mark",
    "TRUNCATED",
    `byte ${whole.length - 1024} (after ${secret})`,
    whole.subarray(0, -1024),
  );
  add("end-mark-cut", "TRUNCATED", `byte ${whole.length - 1024} (the end mark)`, whole.subarray(0, -512));
  add(
    "garbage-behind-end",
    "MEMBER_EXTRA",
    `byte ${whole.length + 3}`,
    Buffer.concat([whole, Buffer.from("\0\0\0PK")]),
  );
  const hidden = Buffer.concat([whole, memberBytes(extra), Buffer.alloc(1024)]);
  add("member-behind-end", "MEMBER_EXTRA", `byte ${whole.length}`, hidden);
  add("zeros-without-end", "MEMBER_EXTRA", `byte ${whole.length - 1024} (the end mark)`, padded(whole));
  add("dirty-padding", "ARCHIVE_INVALID", "install", dirtyPadding(good, "install"));
  add(
    "bad-checksum",
    "ARCHIVE_INVALID",
    "after SHA256SUMS",
    headerOf(good, "install", (block) => block.write("0777", 100), false),
  );
  add(
    "size-not-a-number",
    "ARCHIVE_INVALID",
    "after SHA256SUMS",
    headerOf(good, "install", (block) => block.write("00000000021x", 124)),
  );
  add(
    "size-beyond-the-tar",
    "TRUNCATED",
    blob,
    headerOf(good, blob, (block) => block.write("77777777777\0", 124)),
  );
  add(
    "size-negative",
    "ARCHIVE_INVALID",
    `after install`,
    headerOf(good, blob, (block) => block.fill(0xff, 124, 136)),
  );
  add(
    "size-beyond-safe",
    "ARCHIVE_INVALID",
    `after install`,
    headerOf(good, blob, (block) => block.fill(0xff, 125, 136).writeUInt8(0x80, 124)),
  );

  // Kinds of members
  for (const [name, type] of [
    ["symbolic-link", "2"],
    ["hard-link", "1"],
    ["device", "3"],
    ["fifo", "6"],
    ["directory", "5"],
    ["pax-header", "x"],
    ["gnu-long-name", "L"],
  ] as const) {
    const link = memberBytes({ path: "evil", mode: 0o644, content: Buffer.alloc(0) }, (block) => {
      block.write(type, 156);
      block.write("/etc/shadow", 157);
    });
    add(`kind-${name}`, "MEMBER_KIND", "evil", withBytes(good, link));
  }
  add(
    "setuid-installer",
    "MEMBER_KIND",
    "install",
    headerOf(good, "install", (block) => block.write("004755 \0", 100)),
  );

  // Headers in which each tar sees something else: another path, owner, mode or time than was verified
  for (const [name, change] of [
    ["prefix-of-another-version", (block: Buffer) => block.write("  ", 263) + block.write("bin", 345)],
    ["prefix-behind-gnu-magic", (block: Buffer) => block.write("ustar  \0", 257) + block.write("bin", 345)],
    ["prefix-behind-no-magic", (block: Buffer) => block.fill(0, 257, 265).write("bin", 345)],
    ["owner", (block: Buffer) => block.write("001750 \0", 108)],
    ["group", (block: Buffer) => block.write("001750 \0", 116)],
    ["owner-name", (block: Buffer) => block.write("nobody", 265)],
    ["time", (block: Buffer) => block.write("14000000000\0", 136)],
    ["old-type", (block: Buffer) => block.writeUInt8(0, 156)],
    ["link-name", (block: Buffer) => block.write("/etc/passwd", 157)],
    ["size-with-spaces", (block: Buffer) => block.write("        21 \0", 124)],
    ["size-in-base-256", (block: Buffer) => block.fill(0, 124, 136).writeUInt8(0x80, 124) + block.writeUInt8(17, 135)],
    ["bytes-behind-the-name", (block: Buffer) => block.write("x", 90)],
    ["bytes-behind-the-fields", (block: Buffer) => block.write("x", 505)],
  ] as const) {
    add(`header-${name}`, "ARCHIVE_INVALID", "after SHA256SUMS", headerOf(good, "install", change));
  }
  const inMode = (mode: number): Buffer =>
    tarOf(good.members.map((member) => (member.path === "install" ? { ...member, mode } : member)));
  add("mode-open", "MEMBER_MODE", "install", inMode(0o777));
  add("mode-not-executable", "MEMBER_MODE", "install", inMode(0o644));

  // Names
  for (const [name, path] of [
    ["absolute", "/etc/cron.d/evil"],
    ["parent", "../evil"],
    ["parent-inside", "bin/../../evil"],
    ["dot", "./install"],
    ["control", "inst\nall"],
    ["backslash", "bin\\evil"],
  ] as const) {
    const evil = memberBytes(extra, (block) => block.fill(0, 0, 100).write(path, 0));
    add(`path-${name}`, "PATH_ESCAPES", path, withBytes(good, evil));
  }
  const twice = good.members.find(({ path }) => path === "install") ?? extra;
  add(
    "duplicate-member",
    "MEMBER_DUPLICATE",
    "install",
    tarOf([...good.members, { ...twice, content: Buffer.from("#!/bin/sh\nrm -rf /\n") }]),
  );
  add(
    "duplicate-index",
    "MEMBER_DUPLICATE",
    "bundle.json",
    tarOf([...good.members, { ...extra, path: "bundle.json" }]),
  );

  // Members against SHA256SUMS and index
  add("extra-member", "MEMBER_EXTRA", "extra", tarOf([...good.members, extra]));
  add("extra-member-listed", "MEMBER_EXTRA", "extra", relisted([...good.members, extra]));
  add(
    "extra-blob-listed",
    "MEMBER_EXTRA",
    `blobs/sha256/${digestOf("x")}`,
    relisted([...good.members, { ...extra, path: `blobs/sha256/${digestOf("x")}` }]),
  );
  add("missing-blob", "MEMBER_MISSING", blob, tarOf(good.members.filter(({ path }) => path !== blob)));
  add(
    "missing-installer-unlisted",
    "MEMBER_MISSING",
    "install",
    relisted(good.members.filter(({ path }) => path !== "install")),
  );
  add(
    "missing-index",
    "MEMBER_MISSING",
    "missing-index",
    tarOf(good.members.filter(({ path }) => path !== "bundle.json")),
  );
  add(
    "missing-sums",
    "MEMBER_MISSING",
    "missing-sums",
    tarOf(good.members.filter(({ path }) => path !== "SHA256SUMS")),
  );
  add(
    "unlisted-member",
    "MEMBER_MISSING",
    "install",
    tarOf(changeSums(good, (lines) => lines.filter((line) => !line.endsWith("install")))),
  );
  add("changed-installer", "DIGEST_MISMATCH", "install", tarOf(changed(good, "install", "#!/bin/sh\nexit 1\n")));
  add(
    "changed-installer-relisted",
    "DIGEST_MISMATCH",
    "install",
    relisted(changed(good, "install", "#!/bin/sh\nexit 1\n")),
  );
  add(
    "grown-installer-relisted",
    "SIZE_MISMATCH",
    "install",
    relisted(changed(good, "install", "#!/bin/sh\nexit 0\n\n")),
  );
  add("changed-blob-relisted", "DIGEST_MISMATCH", blob, relisted(flipped(good, blob)));
  add("changed-secrets", "DIGEST_MISMATCH", secret, tarOf(flipped(good, secret)));
  add("changed-index", "DIGEST_MISMATCH", "bundle.json", tarOf(changed(good, "bundle.json", "{}\n")));

  // SHA256SUMS
  add(
    "sums-binary-mode",
    "FORMAT_INVALID",
    "SHA256SUMS",
    tarOf(changeSums(good, (lines) => lines.map((line) => line.replace("  install", " *install")))),
  );
  add(
    "sums-escape",
    "PATH_ESCAPES",
    "../../etc/passwd",
    tarOf(changeSums(good, (lines) => [...lines, `${digestOf("x")}  ../../etc/passwd`])),
  );
  add(
    "sums-twice",
    "MEMBER_DUPLICATE",
    "install",
    tarOf(changeSums(good, (lines) => [...lines, `${digestOf("x")}  install`])),
  );
  add(
    "sums-names-nothing",
    "MEMBER_EXTRA",
    "ghost",
    tarOf(changeSums(good, (lines) => [...lines, `${digestOf("x")}  ghost`])),
  );

  // The index
  const json = async (
    name: string,
    code: ErrorCode,
    member: string,
    edit: (index: BundleIndex) => unknown,
  ): Promise<void> => {
    const built = await sample({ edit });
    add(name, code, member, tarOf(built.members));
  };
  await json("format-2", "FORMAT_TOO_NEW", "bundle.json", (index) => ({ ...index, format: 2, other: "shape" }));
  await json("format-0", "FORMAT_INVALID", "bundle.json", (index) => ({ ...index, format: 0 }));
  await json("index-unknown-key", "FORMAT_INVALID", "bundle.json", (index) => ({ ...index, hook: "curl" }));
  await json("index-null", "FORMAT_INVALID", "bundle.json", () => "null");
  await json("index-file-escapes", "FORMAT_INVALID", "bundle.json", (index) =>
    edited(index, { path: "/etc/../../evil" }),
  );
  await json("index-file-without-content", "MEMBER_MISSING", "bundle.json", (index) =>
    edited(index, { digest: digestOf("nowhere") }),
  );
  await json("index-file-of-another-size", "SIZE_MISMATCH", "bundle.json", (index) => edited(index, { size: 7 }));
  await json("index-contents-overlap", "FORMAT_INVALID", blob, (index) => shifted(index, -1));
  await json("index-contents-gap", "FORMAT_INVALID", blob, (index) => shifted(index, 1));
  await json("index-blob-unnamed", "FORMAT_INVALID", blob, (index) => ({ ...index, contents: {}, files: [] }));
  await json("index-secret-for-a-stranger", "NODE_UNKNOWN", secret, (index) => {
    return { ...index, nodes: index.nodes.map((node) => ({ ...node, name: "n2" })) };
  });
  await json("index-secret-elsewhere", "FORMAT_INVALID", "install", (index) => {
    return { ...index, secrets: index.secrets.map((entry) => ({ ...entry, member: "install" })) };
  });
  await json("index-two-nodes-one-name", "FORMAT_INVALID", "bundle.json", (index) => {
    return { ...index, nodes: [...index.nodes, ...index.nodes] };
  });

  // Frames: only a check of the contents looks inside
  const plain = Buffer.concat([sampleContents.binary, sampleContents.config]);
  const bad = async (name: string, code: ErrorCode, stored: Buffer): Promise<void> => {
    const built = await sample({ stored });
    add(name, code, "bundle.json", tarOf(built.members));
  };
  await bad("frame-bomb", "SIZE_MISMATCH", zstdCompressSync(Buffer.alloc(64 * 1024 * 1024)));
  await bad("frame-too-short", "SIZE_MISMATCH", zstdCompressSync(plain.subarray(0, -1)));
  await bad("frame-of-other-bytes", "DIGEST_MISMATCH", zstdCompressSync(Buffer.from(plain).fill("x", 10, 20)));
  await bad("frame-cut", "ARCHIVE_INVALID", zstdCompressSync(plain).subarray(0, -1));
  await bad("frame-none", "ARCHIVE_INVALID", Buffer.from("not zstd at all"));
  await bad("frame-empty", "ARCHIVE_INVALID", Buffer.alloc(0));
  await bad("frame-and-another", "ARCHIVE_INVALID", Buffer.concat([zstdCompressSync(plain), zstdCompressSync(plain)]));
  await bad("frame-and-junk", "ARCHIVE_INVALID", Buffer.concat([zstdCompressSync(plain), Buffer.from("junk")]));

  // Plaintext secrets
  const secrets = async (name: string, inner: SampleMember[]): Promise<void> => {
    const built = await sample({ editSecrets: () => tarOf(inner) });
    add(name, "SECRETS_INVALID", secret, tarOf(built.members));
  };
  await secrets("secrets-empty", []);
  await secrets("secrets-of-other-bytes", [
    { path: "etc/etcd/pki/server.key", mode: 0o600, content: Buffer.from("another") },
  ]);
  await secrets("secrets-open-mode", [
    { path: "etc/etcd/pki/server.key", mode: 0o644, content: Buffer.from("a key, as far as this test goes\n") },
  ]);
  const real = {
    path: "etc/etcd/pki/server.key",
    mode: 0o600,
    content: Buffer.from("a key, as far as this test goes\n"),
  };
  await secrets("secrets-with-more", [
    real,
    { path: "root/.ssh/authorized_keys", mode: 0o600, content: Buffer.from("x") },
  ]);
  return list;
}

if (process.argv[1] === import.meta.filename) {
  const folder = join(import.meta.dirname, "../vectors/bundles");
  mkdirSync(join(folder, "hostile"), { recursive: true });
  const expected: Record<string, Expectation> = {};
  for (const { name, bytes, code, member } of await hostileBundles()) {
    writeFileSync(join(folder, "hostile", `${name}.tar`), bytes);
    expected[name] = { code, member };
  }
  writeFileSync(join(folder, "expected.json"), `${JSON.stringify(expected, null, 1)}\n`);
}
