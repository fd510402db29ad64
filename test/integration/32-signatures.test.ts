/** A signature from the builder to the node: keys and signatures that minisign shares, thresholds, and what a node refuses. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf, encodeHeader, openBundle, paddingOf, signaturePath, sumsPath } from "#bundle";
import { unpackNodeBundle, writeNodeBundle } from "../builders/node-bundle.ts";
import { requirePackages } from "../programs/packages.ts";
import { installer, type Ran, startInstaller } from "../programs/tree.ts";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-signatures-"));
const one = join(folder, "one");
const two = join(folder, "two");
const stranger = join(folder, "stranger");
/** Signed with one; with one and two; and of the same content, unsigned. */
let [signed, twice, unsigned] = ["", "", ""];

function kubeferry(args: readonly string[], environment: Record<string, string> = {}): Ran {
  const env = { PATH: process.env["PATH"], ...environment };
  const argv = ["builder/main.ts", ...args];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: project, env, encoding: "utf8" });
  return { code: status, signal, stdout, stderr };
}

function assertCode(ran: Ran, code: number, says = /(?:)/): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
  assert.match(ran.stdout + ran.stderr, says);
}

before(async () => {
  requirePackages("minisign", "strace", "util-linux");
  for (const key of [one, two, stranger]) assertCode(kubeferry(["keygen", "--out", key, "--no-password"]), 0);
  unsigned = await writeNodeBundle(join(folder, "unsigned.tar"));
  signed = join(folder, "signed.tar");
  twice = join(folder, "twice.tar");
  copyFileSync(unsigned, signed);
  assertCode(kubeferry(["sign", signed, "--secret-key", `${one}.key`, "--comment", "for plant 7"]), 0);
  copyFileSync(signed, twice);
  assertCode(kubeferry(["sign", twice, "--secret-key", `${two}.key`]), 0);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function root(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

const install = (bundle: string, at: string, ...more: string[]): Promise<Ran> =>
  installer("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", at, ...more);

test("keys of keygen are private, are minisign's, and nothing is overwritten", () => {
  assert.equal(statSync(`${one}.key`).mode & 0o777, 0o600);
  assertCode(kubeferry(["keygen", "--out", one, "--no-password"]), 2, /is there already/);
  const text = join(folder, "text");
  writeFileSync(text, "anything");
  execFileSync("minisign", ["-S", "-s", `${one}.key`, "-m", text], { stdio: "ignore" });
  execFileSync("minisign", ["-V", "-p", `${one}.pub`, "-m", text], { stdio: "ignore" });
  // Encrypted: minisign opens it with the password that keygen was given, and with no other.
  const sealed = join(folder, "sealed");
  assertCode(kubeferry(["keygen", "--out", sealed], { KUBEFERRY_PASSWORD: "a password" }), 0);
  const sign = (password: string): number | null =>
    spawnSync("minisign", ["-S", "-s", `${sealed}.key`, "-m", text], { input: `${password}\n` }).status;
  assert.equal(sign("a password"), 0);
  assert.notEqual(sign("another"), 0);
  execFileSync("minisign", ["-V", "-p", `${sealed}.pub`, "-m", text], { stdio: "ignore" });
  // Nobody to ask.
  assertCode(kubeferry(["keygen", "--out", join(folder, "none")]), 5, /KEY_MISSING/);
  assert.ok(!existsSync(join(folder, "none.key")));
});

/** Runs a command on a terminal of its own, answering each question when it is asked. */
async function onTerminal(command: string, answers: string[]): Promise<string> {
  const child = spawn("script", ["-qec", `${process.execPath} builder/main.ts ${command}`, "/dev/null"], {
    cwd: project,
    env: { PATH: process.env["PATH"], TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let [said, asked] = ["", 0];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    for (; asked < said.split(": ").length - 1 && answers.length > 0; asked += 1) {
      child.stdin.write(`${answers.shift()}\n`);
    }
  });
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0, said);
  return said;
}

test("keygen and sign ask for the password on a terminal, and show nothing of it", async () => {
  const prefix = join(folder, "asked");
  const bundle = join(folder, "asked.tar");
  copyFileSync(unsigned, bundle);
  const made = await onTerminal(`keygen --out ${prefix}`, ["secret word", "secret word"]);
  assert.match(made, /Password for the new secret key: \r\nThe same once more: \r\n/);
  assert.match(made, /asked\.key: key [0-9A-F]{16};/);
  const said = await onTerminal(`sign ${bundle} --secret-key ${prefix}.key`, ["secret word"]);
  assert.match(said, /is signed with key/);
  assert.doesNotMatch(made + said, /secret word/);
  assertCode(kubeferry(["verify", bundle, "--public-key", `${prefix}.pub`]), 0);
});

test("minisign's own key signs, whatever its comment says", () => {
  const [own, bundle] = [join(folder, "plant"), join(folder, "plant.tar")];
  const made = ["-G", "-W", "-c", "of the plant", "-s", `${own}.key`, "-p", `${own}.pub`];
  execFileSync("minisign", made, { stdio: "ignore" });
  assert.match(readFileSync(`${own}.key`, "utf8"), /^untrusted comment: of the plant\n/);
  copyFileSync(unsigned, bundle);
  assertCode(kubeferry(["sign", bundle, "--secret-key", `${own}.key`]), 0);
  assertCode(kubeferry(["verify", bundle, "--public-key", `${own}.pub`]), 0);
  assertCode(kubeferry(["verify", bundle, "--public-key", `${own}.key`]), 2, /this is a secret key/);
});

test("a secret key that others may read signs nothing", () => {
  const open = join(folder, "open.key");
  copyFileSync(`${one}.key`, open);
  chmodSync(open, 0o640);
  assertCode(kubeferry(["sign", join(folder, "unsigned.tar"), "--secret-key", open]), 3, /open to other users/);
});

test("two signatures lie beside each other, minisign checks both, and a third verify asks for as many as it is told", async () => {
  const out = root("twice");
  execFileSync("tar", ["-xf", twice, "-C", out]);
  const names = [...(await openBundle(twice)).source.members.keys()].slice(0, 3);
  assert.equal(names[0], signaturePath);
  assert.match(names[1] ?? "", /^SHA256SUMS\.[0-9A-F]{16}\.minisig$/);
  assert.equal(names[2], sumsPath);
  execFileSync("minisign", ["-V", "-p", `${one}.pub`, "-m", "SHA256SUMS"], { cwd: out, stdio: "ignore" });
  const second = ["-V", "-p", `${two}.pub`, "-m", "SHA256SUMS", "-x", names[1] ?? ""];
  execFileSync("minisign", second, { cwd: out, stdio: "ignore" });
  const both = ["--public-key", `${one}.pub`, "--public-key", `${two}.pub`, "--require", "2"];
  for (const where of [twice, out]) {
    const said = kubeferry(["verify", where, ...both]);
    assertCode(said, 0, /signed with key [0-9A-F]{16}: for plant 7\n/);
    assert.match(said.stdout, /signed with key [0-9A-F]{16}: payload:/);
  }
  assertCode(kubeferry(["verify", signed, ...both]), 5, /has 1 of the 2 signatures/);
  assertCode(kubeferry(["verify", twice, "--public-key", `${one}.pub`, "--require", "2"]), 2);
  // Signing again replaces the key's own signature and leaves the other.
  copyFileSync(twice, join(folder, "again.tar"));
  assertCode(kubeferry(["sign", join(folder, "again.tar"), "--secret-key", `${two}.key`, "--comment", "again"]), 0);
  assertCode(kubeferry(["verify", join(folder, "again.tar"), ...both]), 0, /: again\n/);
});

test("a node takes with a key only what that key signed, and says so where nobody asked", async () => {
  const key = ["--public-key", `${one}.pub`];
  const good = root("good");
  assertCode(await install(signed, good, ...key), 0, /signature +good, of key [0-9A-F]{16}: for plant 7/);
  const report = await installer("audit", "--root", good);
  assertCode(report, 0, /was signed with key [0-9A-F]{16}, which was checked before it was installed/);
  assertCode(await installer("audit", "--root", good, ...key), 0, /what this key signed/);
  assertCode(await installer("audit", "--root", good, "--public-key", `${two}.pub`), 9);

  for (const [name, bundle, more] of [
    ["foreign", signed, ["--public-key", `${stranger}.pub`]],
    ["unsigned", unsigned, key],
    ["few", signed, [...key, "--public-key", `${two}.pub`, "--require", "2"]],
  ] as const) {
    const at = root(name);
    assertCode(await install(bundle, at, ...more), 5, /SIGNATURE_INVALID/);
    assertCode(await installer("verify", "--bundle", bundle, ...more), 5, /SIGNATURE_INVALID/);
    assert.ok(!existsSync(join(at, "var")), "nothing is made");
  }
  assertCode(await install(unsigned, root("nobody")), 0, /nobody's signature was asked for/);
});

test("a host with trusted keys takes no unsigned and no foreign bundle, whatever the command line says", async () => {
  const at = root("trusting");
  const trusted = join(at, "etc/kubeferry/trusted");
  mkdirSync(trusted, { recursive: true });
  copyFileSync(`${one}.pub`, join(trusted, "release.pub"));
  assertCode(await install(unsigned, at), 5, /SIGNATURE_INVALID: the bundle is not signed/);
  const foreign = join(folder, "foreign.tar");
  copyFileSync(unsigned, foreign);
  assertCode(kubeferry(["sign", foreign, "--secret-key", `${stranger}.key`]), 0);
  assertCode(await install(foreign, at, "--public-key", `${stranger}.pub`), 5, /signed with another key/);
  copyFileSync(`${two}.pub`, join(trusted, "second.pub"));
  writeFileSync(join(trusted, "require"), "2\n");
  assertCode(await install(signed, at), 5, /1 of the 2 signatures/);
  assertCode(await install(twice, at, "--dry-run"), 0);

  chmodSync(join(trusted, "second.pub"), 0o666);
  assertCode(await install(twice, at), 5, /TRUST_INVALID/);
  chmodSync(join(trusted, "second.pub"), 0o644);
  if (process.getuid?.() === 0) {
    chownSync(trusted, 1000, 1000);
    assertCode(await install(twice, at), 5, /TRUST_INVALID/);
    chownSync(trusted, 0, 0);
  }
  rmSync(join(trusted, "second.pub"));
  symlinkSync(`${two}.pub`, join(trusted, "second.pub"));
  assertCode(await install(twice, at), 5, /TRUST_INVALID/);
});

/** Every read of a file below `folder` that the installer makes: path and, from a tar, which bytes. */
async function readsOf(argv: readonly string[]): Promise<{ ran: Ran; reads: string[] }> {
  const trace = mkdtempSync(join(folder, "trace-"));
  const calls = "trace=openat,read,pread64,readv,preadv,preadv2,mmap,close";
  // A file for each thread: in one for all, a call during which another thread makes one is told in two lines.
  const program = ["-ff", "-y", "-e", calls, "-o", join(trace, "of"), process.execPath, "installer/main.ts", ...argv];
  const { status, signal, stdout, stderr } = spawnSync("strace", program, { cwd: project, encoding: "utf8" });
  const reads = readdirSync(trace)
    .flatMap((name) => readFileSync(join(trace, name), "utf8").split("\n"))
    .filter((line) => /^(?:p?read(?:64|v|v2)?|mmap)\(/.test(line) && line.includes(`<${folder}/traced`));
  return { ran: { code: status, signal, stdout, stderr }, reads };
}

test("before the signature is checked, not a byte but SHA256SUMS and its signature is read", async () => {
  // With a key that did not sign it the check is the end, so whatever was read was read before it.
  const common = ["--role", "worker", "--ip", "10.0.0.9", "--root", root("traced-root")];
  const wrong = ["--public-key", `${stranger}.pub`];
  const unpacked = join(folder, "traced");
  await unpackNodeBundle(unpacked);
  assertCode(kubeferry(["sign", unpacked, "--secret-key", `${one}.key`]), 0);
  const fromFolder = await readsOf(["--bundle", unpacked, ...common, ...wrong]);
  assertCode(fromFolder.ran, 5, /SIGNATURE_INVALID/);
  const paths = fromFolder.reads.map((line) => new RegExp(`<${unpacked}/([^>]*)>`).exec(line)?.[1] ?? line);
  assert.deepEqual([...new Set(paths)].toSorted(), [sumsPath, signaturePath]);

  const tar = join(folder, "traced.tar");
  copyFileSync(signed, tar);
  const fromTar = await readsOf(["--bundle", tar, ...common, ...wrong]);
  assertCode(fromTar.ran, 5, /SIGNATURE_INVALID/);
  assert.ok(fromTar.reads.length > 0);
  const sums = (await openBundle(tar)).source.members.get(sumsPath);
  const end = (sums?.offset ?? 0) + (sums?.size ?? 0) + paddingOf(sums?.size ?? 0);
  for (const line of fromTar.reads) {
    const [, length, offset] = /, (\d+), (\d+)\) = /.exec(line) ?? [];
    assert.ok(Number(offset) + Number(length) <= end, `reads past SHA256SUMS: ${line}`);
  }
  // The right key reads on: the test would see it.
  const right = await readsOf(["--bundle", tar, ...common, "--dry-run", "--public-key", `${one}.pub`]);
  assertCode(right.ran, 0);
  assert.ok(right.reads.length > fromTar.reads.length);
});

test("what would exhaust the memory is refused by its signature, before it is parsed", async () => {
  // A bundle.json of 200 MB of brackets, with a SHA256SUMS that lists it.
  const deep = Buffer.alloc(200_000_000, "[");
  const { members } = (await openBundle(signed)).source;
  const text = readFileSync(signed);
  const member = (path: string, content: Buffer): Buffer[] => [
    encodeHeader(path, content.length, 0o644),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ];
  const of = (path: string): Buffer => {
    const found = members.get(path);
    return text.subarray(found?.offset, (found?.offset ?? 0) + (found?.size ?? 0));
  };
  const tar = join(folder, "deep.tar");
  const sums = Buffer.from(`${digestOf(deep)}  bundle.json\n`);
  const parts = [
    ...member(signaturePath, of(signaturePath)),
    ...member(sumsPath, sums),
    ...member("bundle.json", deep),
  ];
  writeFileSync(tar, Buffer.concat([...parts, Buffer.alloc(1024)]));
  const argv = ["--bundle", tar, "--role", "worker", "--ip", "10.0.0.9", "--root", root("deep")];
  const limited = { NODE_OPTIONS: "--max-old-space-size=100" };
  assertCode(await startInstaller([...argv, "--public-key", `${one}.pub`], limited).ended, 5, /SIGNATURE_INVALID/);
});
