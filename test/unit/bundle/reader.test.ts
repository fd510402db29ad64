import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { type Digest, digestOf, openBundle, verifyBundle } from "#bundle";
import {
  type Sample,
  sample,
  sampleContents,
  sampleNode,
  sampleSecret,
  writeSample,
} from "../../builders/sample-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function path(name: string): string {
  count += 1;
  return join(folder, `${count}-${name}`);
}

function unpack({ members }: Sample): string {
  const directory = path("unpacked");
  for (const { path: name, content } of members) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

test("a good bundle has no problem, as a tar and as a directory, and both have one payload digest", async () => {
  const good = await sample();
  const tar = await openBundle(writeSample(path("good.tar"), good));
  const directory = await openBundle(unpack(good));
  assert.deepEqual(await verifyBundle(tar, { contents: true }), []);
  assert.deepEqual(await verifyBundle(directory, { contents: true }), []);
  assert.equal(tar.payloadDigest, directory.payloadDigest);
  assert.equal(tar.payloadDigest, digestOf(good.members[0]?.content ?? ""));
});

test("extract writes each wanted content with mode 0600 and nothing else", async () => {
  const bundle = await openBundle(writeSample(path("good.tar"), await sample()));
  const out = path("out");
  mkdirSync(out);
  const wanted = Object.values(sampleContents).map((content) => digestOf(content));
  await bundle.extract(new Set(wanted), (digest) => join(out, digest));
  assert.deepEqual(readdirSync(out).toSorted(), wanted.toSorted());
  for (const digest of wanted) {
    assert.equal(digestOf(readFileSync(join(out, digest))), digest);
    assert.equal(lstatSync(join(out, digest)).mode & 0o777, 0o600);
  }
});

test("extract replaces what a killed run left half written", async () => {
  const bundle = await openBundle(writeSample(path("good.tar"), await sample()));
  const target = path("content");
  writeFileSync(`${target}.partial`, "torn", { mode: 0o644 });
  await bundle.extract(new Set([digestOf(sampleContents.config)]), () => target);
  assert.deepEqual(readFileSync(target), sampleContents.config);
  assert.equal(existsSync(`${target}.partial`), false);
});

test("extract refuses a digest that the index does not have", async () => {
  const bundle = await openBundle(writeSample(path("good.tar"), await sample()));
  const other = digestOf("something else");
  await assert.rejects(
    bundle.extract(new Set([other]), () => path("no")),
    { code: "MEMBER_MISSING" },
  );
});

test("extract of a content with a wrong digest leaves no file", async () => {
  const other = digestOf("not in there");
  const broken = await sample({
    edit: (index) => {
      const real = index.contents[digestOf(sampleContents.config)];
      if (real !== undefined) index.contents[other] = real;
      delete index.contents[digestOf(sampleContents.config)];
    },
  });
  const bundle = await openBundle(writeSample(path("broken.tar"), broken));
  const target = path("content");
  await assert.rejects(
    bundle.extract(new Set<Digest>([other]), () => target),
    { code: "DIGEST_MISMATCH" },
  );
  assert.equal(existsSync(target), false);
  assert.equal(existsSync(`${target}.partial`), false);
});

test("extract finds a blob that changed after it was verified", async () => {
  const good = await sample();
  const directory = unpack(good);
  const bundle = await openBundle(directory);
  assert.deepEqual(await verifyBundle(bundle), []);
  const file = join(directory, "blobs/sha256", good.blob);
  const bytes = readFileSync(file);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const wanted = new Set([digestOf(sampleContents.binary)]);
  await assert.rejects(
    bundle.extract(wanted, () => path("no")),
    { code: "DIGEST_MISMATCH" },
  );
});

test("a directory may hold no extra file, no empty directory and no link", async () => {
  const directory = unpack(await sample());
  writeFileSync(join(directory, "extra"), "x");
  mkdirSync(join(directory, "hollow"));
  symlinkSync("/etc/passwd", join(directory, "link"));
  const problems = await verifyBundle(await openBundle(directory));
  assert.deepEqual(problems.map(({ member, code }) => `${code} ${member}`).toSorted(), [
    "MEMBER_EXTRA extra",
    "MEMBER_EXTRA hollow",
    "MEMBER_KIND link",
  ]);
});

test("a member that became a link is not followed", async () => {
  const directory = unpack(await sample());
  rmSync(join(directory, "install"));
  symlinkSync("/bin/sh", join(directory, "install"));
  const problems = await verifyBundle(await openBundle(directory));
  assert.deepEqual(
    problems.map(({ member, code }) => `${code} ${member}`),
    ["MEMBER_KIND install"],
  );
});

test("unpacked, no member or folder may be changed by others than root and who reads it", async () => {
  const problems = async (change: (directory: string) => void): Promise<string[]> => {
    const directory = unpack(await sample());
    change(directory);
    const found = await verifyBundle(await openBundle(directory));
    return found.map(({ member, code }) => `${code} ${member}`);
  };
  assert.deepEqual(await problems((at) => chmodSync(join(at, "install"), 0o777)), ["MEMBER_MODE install"]);
  assert.deepEqual(await problems((at) => chmodSync(join(at, "bundle.json"), 0o664)), ["MEMBER_MODE bundle.json"]);
  assert.deepEqual(await problems((at) => chmodSync(join(at, "blobs"), 0o777)), ["MEMBER_MODE blobs"]);
  assert.deepEqual(await problems((at) => chmodSync(at, 0o1777)), ["MEMBER_MODE ."]);
  // A umask takes bits away; FAT lets everything be executed.
  assert.deepEqual(await problems((at) => chmodSync(join(at, "install"), 0o700)), []);
  assert.deepEqual(await problems((at) => chmodSync(join(at, "bundle.json"), 0o755)), []);
});

const asRoot = { skip: process.getuid?.() !== 0 && "only root can give files away" };
test("unpacked, a member of another user is refused", asRoot, async () => {
  const directory = unpack(await sample());
  chownSync(join(directory, "install"), 1000, 1000);
  chownSync(join(directory, "blobs"), 1000, 0);
  const found = await verifyBundle(await openBundle(directory));
  assert.deepEqual(
    found.map(({ member, code, found: owner }) => `${code} ${member} ${owner}`),
    ["MEMBER_MODE blobs owner 1000", "MEMBER_MODE install owner 1000"],
  );
});

test("a link to a bundle is the bundle", async () => {
  const link = path("link.tar");
  symlinkSync(writeSample(path("good.tar"), await sample()), link);
  assert.deepEqual(await verifyBundle(await openBundle(link), { contents: true }), []);
});

test("bad media are told as what they are", async () => {
  const loop = path("loop.tar");
  symlinkSync(loop, loop);
  await assert.rejects(openBundle(loop), { code: "UNREADABLE" });
  await assert.rejects(openBundle("/proc/self/mem"), { code: "UNREADABLE" });

  const deep = unpack(await sample());
  mkdirSync(join(deep, Array.from({ length: 1000 }, () => "x").join("/")), { recursive: true });
  const problems = await verifyBundle(await openBundle(deep));
  assert.deepEqual(
    problems.map(({ member, code }) => `${code} ${member}`),
    ["MEMBER_EXTRA x/x/x/x/x"],
  );
  // Too deep for one path.
  execFileSync("rm", ["-rf", join(deep, "x")]);

  const strange = unpack(await sample());
  writeFileSync(Buffer.from(`${strange}/caf\xe9`, "latin1"), "x");
  const [other] = await verifyBundle(await openBundle(strange));
  assert.equal(other?.code, "PATH_ESCAPES");
});

test("all problems are reported, not the first one", async () => {
  const good = await sample();
  const directory = unpack(good);
  rmSync(join(directory, "install"));
  writeFileSync(join(directory, "blobs/sha256", good.blob), "damaged");
  writeFileSync(join(directory, `secrets/${sampleNode}.tar`), "damaged");
  const problems = await verifyBundle(await openBundle(directory));
  for (const member of ["install", `blobs/sha256/${good.blob}`, `secrets/${sampleNode}.tar`]) {
    assert.ok(
      problems.some((problem) => problem.member === member),
      member,
    );
  }
});

test("a digest that is wrong comes with wanted and found", async () => {
  const good = await sample();
  const directory = unpack(good);
  const wanted = digestOf(readFileSync(join(directory, "install")));
  writeFileSync(join(directory, "install"), "#!/bin/sh\nexit 1\n");
  const [problem, ...more] = await verifyBundle(await openBundle(directory));
  assert.deepEqual(more, []);
  assert.equal(problem?.code, "DIGEST_MISMATCH");
  assert.equal(problem?.expected, wanted);
  assert.equal(problem?.found, digestOf("#!/bin/sh\nexit 1\n"));
});

test("sealed secrets open with the node's key and with no other", async () => {
  const identity = await generateX25519Identity();
  const sealed = await sample({ recipients: [await identityToRecipient(identity)] });
  const bundle = await openBundle(writeSample(path("sealed.tar"), sealed));
  assert.deepEqual(await bundle.secrets(sampleNode, identity), new Map([[sampleSecret.path, sampleSecret.content]]));
  await assert.rejects(bundle.secrets(sampleNode, null), { code: "KEY_MISSING" });
  await assert.rejects(bundle.secrets(sampleNode, await generateX25519Identity()), { code: "KEY_WRONG" });
  await assert.rejects(bundle.secrets(sampleNode, "password"), { code: "KEY_WRONG" });
  await assert.rejects(bundle.secrets("n9", identity), { code: "NODE_UNKNOWN" });
});

test("a damaged age file is SECRETS_INVALID and no byte of it comes out", async () => {
  const identity = await generateX25519Identity();
  const flip = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
    return copy;
  };
  const broken = await sample({ recipients: [await identityToRecipient(identity)], editSecrets: flip });
  const bundle = await openBundle(writeSample(path("sealed.tar"), broken));
  await assert.rejects(bundle.secrets(sampleNode, identity), { code: "SECRETS_INVALID" });
});

test("what is no bundle is said in plain words", async () => {
  await assert.rejects(openBundle(join(folder, "nowhere.tar")), { code: "USAGE" });
  const text = path("text.tar");
  writeFileSync(text, "not a tar\n".repeat(100));
  await assert.rejects(openBundle(text), { code: "ARCHIVE_INVALID" });
  const empty = path("empty");
  mkdirSync(empty);
  await assert.rejects(openBundle(empty), { code: "MEMBER_MISSING" });
  await assert.rejects(openBundle("/dev/null"), { code: "ARCHIVE_INVALID" });
});
