/** A bundle without Kubeferry: GNU tar, coreutils, zstd, age and minisign do what README.txt and FORMAT.md say. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BundleIndex, digestOf, openBundle, parsePublicKey, trustIn, verifyBundle } from "#bundle";
import { openKeys } from "../../builder/pack/keys.ts";
import { pack } from "../../builder/pack/pack.ts";
import { parseSigningKey } from "../../builder/sign/secret-key.ts";
import { signBundle } from "../../builder/sign/sign.ts";
import { requirePackages } from "../programs/packages.ts";
import { sampleCluster } from "../builders/sample-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-by-hand-"));
const unpacked = join(folder, "unpacked");
const keysFolder = join(folder, "plant-7.keys");
let tar = "";

before(async () => {
  requirePackages("zstd", "age", "minisign");
  const keys = await openKeys({ folder: keysFolder, pki: join(folder, "plant-7.pki"), nodes: ["n1", "n2"] });
  tar = (await pack({ ...(await sampleCluster(folder)), keys })).path;
  mkdirSync(unpacked);
  execFileSync("tar", ["-xf", tar, "-C", unpacked]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("GNU tar unpacks it, sha256sum -c passes, and the directory verifies", async () => {
  const text = execFileSync("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: unpacked, encoding: "utf8" });
  const lines = text.trim().split("\n");
  assert.ok(lines.every((line) => line.endsWith(": OK")));
  // Every member but SHA256SUMS itself.
  assert.equal(lines.length, (await openBundle(tar)).source.members.size - 1);
  assert.deepEqual(await verifyBundle(await openBundle(unpacked), { contents: true }), []);
});

test("a flipped byte in any member fails sha256sum -c and verify, which names the member, wanted and found", async () => {
  for (const { path, size } of (await openBundle(unpacked)).source.members.values()) {
    const file = join(unpacked, path);
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    const middle = Math.floor(size / 2);
    bad[middle] = (bad[middle] ?? 0) ^ 4;
    writeFileSync(file, bad);
    assert.notEqual(spawnSync("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: unpacked }).status, 0, path);
    if (path === "bundle.json") {
      const error = { code: "DIGEST_MISMATCH", expected: digestOf(good), found: digestOf(bad) };
      await assert.rejects(openBundle(unpacked), error);
    } else if (path !== "SHA256SUMS") {
      const problems = await verifyBundle(await openBundle(unpacked));
      const hit = problems.find((problem) => problem.member === path && problem.code === "DIGEST_MISMATCH");
      assert.equal(hit?.expected, digestOf(good), path);
      assert.equal(hit?.found, digestOf(bad), path);
    }
    writeFileSync(file, good);
  }
});

test("zstd, tail and head take each content out of its blob", () => {
  const index = JSON.parse(readFileSync(join(unpacked, "bundle.json"), "utf8")) as BundleIndex;
  for (const [digest, { blob, offset, size }] of Object.entries(index.contents)) {
    const line = `zstd -q -d --long=27 -c blobs/sha256/${blob} | tail -c +${offset + 1} | head -c ${size} | sha256sum`;
    assert.equal(execFileSync("sh", ["-c", line], { cwd: unpacked, encoding: "utf8" }).split(" ")[0], digest);
  }
});

test("age opens a node's secrets with that node's key or the operator's, and with no other", () => {
  const keyOf = (node: string): string => join(keysFolder, `${node}.key`);
  const age = (key: string): ReturnType<typeof spawnSync> =>
    spawnSync("age", ["-d", "-i", key, join(unpacked, "secrets/n1.age")]);
  const operator = join(folder, "plant-7.pki/operator.key");
  for (const key of [keyOf("n1"), operator]) {
    const { status, stdout } = age(key);
    assert.equal(status, 0);
    const names = execFileSync("tar", ["-tvf", "-"], { input: stdout, encoding: "utf8" });
    assert.match(names, /^-rw------- 0\/0 .* etc\/etcd\/pki\/server\.key$/m);
  }
  assert.notEqual(age(keyOf("n2")).status, 0);
});

test("minisign's key signs with Kubeferry, and minisign checks it", async () => {
  const secret = join(folder, "sign.key");
  const open = join(folder, "sign.pub");
  execFileSync("minisign", ["-G", "-W", "-s", secret, "-p", open], { stdio: "ignore" });
  const signed = join(folder, "signed.tar");
  writeFileSync(signed, readFileSync(tar));
  await signBundle(signed, parseSigningKey(readFileSync(secret, "utf8"), null));
  const trusts = [trustIn([parsePublicKey(readFileSync(open, "utf8"))], 1, "the test")];
  const bundle = await openBundle(signed, trusts);
  assert.deepEqual(await verifyBundle(bundle), []);
  const out = join(folder, "signed");
  mkdirSync(out);
  execFileSync("tar", ["-xf", signed, "-C", out]);
  const said = execFileSync("minisign", ["-V", "-p", open, "-m", "SHA256SUMS"], { cwd: out, encoding: "utf8" });
  assert.match(said, new RegExp(`Trusted comment: payload:${bundle.payloadDigest}`));
  // Every other byte is what it was.
  rmSync(join(out, "SHA256SUMS.minisig"));
  execFileSync("diff", ["-r", out, unpacked]);
  await assert.rejects(openBundle(tar, trusts), { code: "SIGNATURE_INVALID" });
});

test("minisign signs, also with an encrypted key, and Kubeferry checks it", async () => {
  const secret = join(folder, "sealed.key");
  const open = join(folder, "sealed.pub");
  const input = "a password\na password\n";
  execFileSync("minisign", ["-G", "-s", secret, "-p", open], { input, stdio: ["pipe", "ignore", "ignore"] });
  const sign = ["-S", "-s", secret, "-m", "SHA256SUMS"];
  execFileSync("minisign", sign, { cwd: unpacked, input, stdio: ["pipe", "ignore", "ignore"] });
  const publicKey = parsePublicKey(readFileSync(open, "utf8"));
  const bundle = await openBundle(unpacked, [trustIn([publicKey], 1, "the test")]);
  assert.deepEqual(await verifyBundle(bundle), []);
  const text = readFileSync(secret, "utf8");
  assert.throws(() => parseSigningKey(text, null), { code: "KEY_MISSING" });
  assert.throws(() => parseSigningKey(text, "wrong"), { code: "KEY_WRONG" });
  assert.ok(parseSigningKey(text, "a password").key.equals(publicKey.key));
  rmSync(join(unpacked, "SHA256SUMS.minisig"));
});
