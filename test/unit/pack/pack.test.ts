import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { digestOf, openBundle, parseKeyFile, verifyBundle } from "#bundle";
import { openKeys } from "../../../builder/pack/keys.ts";
import { installersIn, pack } from "../../../builder/pack/pack.ts";
import { joinParts, splitBundle } from "../../../builder/pack/parts.ts";
import { newSigningKey } from "../../../builder/sign/secret-key.ts";
import { signBundle } from "../../../builder/sign/sign.ts";
import { binaryOf, sampleCluster } from "../../builders/sample-cluster.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-pack-"));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = (): string => mkdtempSync(join(root, "x-"));

test("a packed bundle is named after cluster, release and payload, and verifies down to its contents", async () => {
  const options = await sampleCluster(folder());
  const packed = await pack(options);
  assert.equal(basename(packed.path), `plant-7-distro-${packed.payloadDigest.slice(0, 12)}.tar`);
  assert.equal(packed.size, statSync(packed.path).size);
  const bundle = await openBundle(packed.path);
  assert.equal(bundle.payloadDigest, packed.payloadDigest);
  assert.deepEqual(await verifyBundle(bundle, { contents: true }), []);
  assert.equal(
    basename((await pack({ ...options, kubernetes: "1.36.3" })).path).startsWith("plant-7-kubernetes-1.36.3-"),
    true,
  );
});

test("members are in the written order, with mtime 0 and no owner", async () => {
  const { path } = await pack(await sampleCluster(folder()));
  const { members } = (await openBundle(path)).source;
  const names = [...members.keys()];
  const blobs = names.filter((name) => name.startsWith("blobs/"));
  assert.deepEqual(names, [
    "SHA256SUMS",
    "bundle.json",
    "install",
    "bin/install-linux-amd64",
    "README.txt",
    ...blobs.toSorted(),
    "secrets/n1.tar",
    "secrets/n2.tar",
  ]);
  const tar = readFileSync(path);
  for (const { path: name, offset } of members.values()) {
    const field = (at: number, length: number): number =>
      Number.parseInt(tar.toString("latin1", offset - 512 + at, offset - 512 + at + length), 8);
    const found = { mode: field(100, 8), uid: field(108, 8), gid: field(116, 8), mtime: field(136, 12) };
    const executable = name === "install" || name.startsWith("bin/");
    assert.deepEqual(found, { mode: executable ? 0o755 : 0o644, uid: 0, gid: 0, mtime: 0 }, name);
  }
});

test("what is rendered comes out again: texts, binary, tokens, selectors", async () => {
  const options = await sampleCluster(folder());
  const bundle = await openBundle((await pack(options)).path);
  const out = folder();
  for (const file of options.rendered.files) {
    const entry = bundle.index.files.find(
      (item) => item.path === file.path && item.for.nodes?.[0] === file.for.nodes?.[0],
    );
    assert.ok(entry !== undefined, file.path);
    assert.deepEqual(entry.tokens, file.path === "/etc/etcd/shared.conf" ? ["@NODE_IP@"] : []);
    if (file.sensitive) continue;
    await bundle.extract(new Set([entry.digest]), (digest) => join(out, digest));
    const bytes = readFileSync(join(out, entry.digest));
    if (typeof file.content === "string") assert.equal(bytes.toString(), file.content);
    else assert.equal(digestOf(bytes), file.content.digest);
  }
});

test("a second build takes every frame from the store and gives the same bytes", async () => {
  const options = await sampleCluster(folder());
  const first = await pack({ ...options, output: join(folder(), "a.tar") });
  const second = await pack({ ...options, output: join(folder(), "b.tar") });
  assert.equal(first.frames.cached, 0);
  assert.equal(second.frames.made, 0);
  assert.equal(second.frames.cached, first.frames.made);
  assert.deepEqual(readFileSync(second.path), readFileSync(first.path));
});

test("a cached frame that was damaged is made again", async () => {
  const options = await sampleCluster(folder());
  const first = await pack(options);
  const bundle = await openBundle(first.path);
  const [blob] = Object.keys(bundle.index.blobs);
  const path = options.store.path(blob as never);
  truncateSync(path, statSync(path).size - 1);
  const again = await pack(options);
  assert.equal(again.frames.made, 1);
  assert.equal(again.payloadDigest, first.payloadDigest);
});

test("a content that was damaged in the store stops the build and leaves no bundle", async () => {
  const where = folder();
  const binary = binaryOf("other", 3000);
  const options = await sampleCluster(where, { binary });
  writeFileSync(options.store.path(digestOf(binary)), Buffer.from(binary).fill(0, 5, 6));
  const output = join(where, "out.tar");
  await assert.rejects(pack({ ...options, output }), { code: "DIGEST_MISMATCH" });
  // A frame that was made before the damage was met has its note, and the note its key.
  const left = readdirSync(where).filter((name) => name !== "store.key");
  assert.deepEqual(left.toSorted(), ["installers", "store"]);
});

test("an installer that was not built is said, with the command that builds it", async () => {
  const options = await sampleCluster(folder());
  const installers = installersIn(folder(), ["linux/amd64"]);
  await assert.rejects(pack({ ...options, installers }), { code: "TOOL_MISSING", hint: "npm run build" });
});

test("sealed secrets open with each node's own key only, and hold that node's files only", async () => {
  const where = folder();
  const own = join(where, "plant-7.keys");
  const keys = await openKeys({ folder: own, pki: join(where, "plant-7.pki"), nodes: ["n1", "n2"] });
  const { path } = await pack({ ...(await sampleCluster(where)), keys });
  const bundle = await openBundle(path);
  const keyOf = (node: string): string => parseKeyFile(readFileSync(join(own, `${node}.key`), "utf8"), node);
  const secrets = await bundle.secrets("n1", keyOf("n1"));
  assert.deepEqual(
    [...secrets].map(([name, bytes]) => `${name} ${bytes.toString()}`),
    ["/etc/etcd/pki/server.key the key of n1\n", "/etc/etcd/pki/token everybody's token\n"],
  );
  await assert.rejects(bundle.secrets("n1", keyOf("n2")), { code: "KEY_WRONG" });
  const operator = readFileSync(join(where, "plant-7.pki/operator.key"), "utf8");
  assert.equal((await bundle.secrets("n2", parseKeyFile(operator, "n2"))).size, 2);
});

test("README.txt says how to check, install, undo, and do it by hand", async () => {
  const { path } = await pack(await sampleCluster(folder()));
  const text = (await openBundle(path)).read("README.txt")?.toString() ?? "";
  const commands = [
    "sha256sum -c SHA256SUMS",
    "./install --role etcd --ip 10.0.0.10",
    "./install undo",
    "zstd -d --long=27",
  ];
  for (const command of commands) assert.ok(text.includes(command), command);
  assert.match(text, /NOT SEALED/);
});

test("a runtime that was given stands in index and README.txt, with what it needs of hosts", async () => {
  const options = await sampleCluster(folder());
  const digest = digestOf("a Node");
  const runtimes = [{ path: "/opt/node", platform: "linux/amd64", version: "22.15.0", glibc: "2.17", digest }] as const;
  const { glibc } = installersIn(folder(), ["linux/amd64", "linux/arm64"], runtimes);
  assert.deepEqual(glibc, { "linux/amd64": "2.17" });
  const bundle = await openBundle(
    (await pack({ ...options, runtimes, installers: { ...options.installers, glibc } })).path,
  );
  assert.deepEqual(bundle.index.runtimes, { "linux/amd64": { node: "22.15.0", digest, glibc: "2.17" } });
  const text = bundle.read("README.txt")?.toString() ?? "";
  assert.ok(
    text.includes(`linux/amd64      glibc 2.17 or newer\n    by Node 22.15.0, given by the operator: sha256 ${digest}`),
  );
  const own = await openBundle((await pack(options)).path);
  assert.equal(own.index.runtimes, undefined);
  assert.doesNotMatch(own.read("README.txt")?.toString() ?? "", /given by the operator/);
});

test("a bundle whose secrets are not sealed is its owner's alone, also signed, divided and joined", async () => {
  const where = folder();
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  const { path } = await pack(await sampleCluster(where));
  assert.equal(mode(path), "600");
  await signBundle(path, newSigningKey());
  assert.equal(mode(path), "600");
  const { list, parts } = await splitBundle(path, 5000, folder());
  assert.deepEqual(new Set([list, ...parts].map(mode)), new Set(["600"]));
  const joined = join(folder(), "joined.tar");
  await joinParts([list, ...parts], joined);
  assert.equal(mode(joined), "600");
  const keys = await openKeys({ folder: join(where, "k"), pki: join(where, "p"), nodes: ["n1", "n2"] });
  const sealed = await pack({ ...(await sampleCluster(folder())), keys });
  assert.equal(mode(sealed.path), "644");
});
