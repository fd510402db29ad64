/** Readers that go away, terminals that close: a command does its work all the same, and ends with its own exit code. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { decodeRecords } from "../../installer/journal/journal.ts";
import { freshRoots } from "../builders/fresh-roots.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { standInCluster } from "../fakes/stand-in-cluster.ts";
import { installer, pictureOf, type Ran, startInstaller } from "../programs/tree.ts";

const project = join(import.meta.dirname, "../..");
const isRoot = process.getuid?.() === 0;
const mounted: string[] = [];
let folder: string;
let bundle: string;
/** So much that whoever watches its installation surely sees it in the middle. */
let large: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-pipes-"));
  const many = (length: number): FileWish[] =>
    Array.from({ length }, (_, number) => ({
      path: `/opt/ferry/share/file-${number}`,
      content: `content ${number}\n`,
    }));
  bundle = await writeNodeBundle(join(folder, "bundle.tar"), { files: [...nodeFiles, ...many(50)] });
  large = await writeNodeBundle(join(folder, "large.tar"), { files: [...nodeFiles, ...many(500)] });
});
after(() => {
  for (const path of mounted.toReversed()) execFileSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
});

const freshRoot = freshRoots(() => folder);

const install = [process.execPath, join(project, "installer/main.ts")];
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

/** Runs a line of bash in which `"$@"` is the command; the line ends with the command's own exit code. */
function bash(line: string, ...command: string[]): Ran {
  const argv = ["-c", `set -o pipefail; ${line}`, "bash", ...command];
  const { status, signal, stdout, stderr } = spawnSync("bash", argv, { encoding: "utf8", cwd: folder });
  return { code: status, signal, stdout, stderr };
}

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}

const broken = {
  "a reader of stdout": '"$@" | head -1',
  "a reader that reads nothing": '"$@" | true',
  "a reader of stderr": '"$@" --json 2>&1 >/dev/null | head -1',
  "a reader of both": '"$@" 2>&1 | head -1',
  "a stdout that was never open": '"$@" >&-',
  "a stderr that was never open": '"$@" 2>&-',
};
for (const [who, line] of Object.entries(broken)) {
  test(`${who}: apply, audit and undo do what they say`, async () => {
    const root = freshRoot();
    const start = pictureOf(root);
    assertCode(bash(line, ...install, ...select(root)), 0);
    assert.ok(existsSync(join(root, "opt/ferry/share/file-49")));
    const records = decodeRecords(readFileSync(join(root, "var/lib/kubeferry/journal"), "utf8"));
    assert.equal(records.at(-1)?.type, "commit");
    assertCode(await installer("audit", "--root", root), 0);
    assertCode(bash(line, ...install, "audit", "--root", root), 0);
    rmSync(join(root, "opt/ferry/share/file-7"));
    assertCode(bash(line, ...install, "audit", "--root", root), 9);
    assertCode(bash(line, ...install, "undo", "--root", root), 0);
    assert.deepEqual(pictureOf(root), start);
  });

  test(`${who}: what fails is taken back, and ends with 7`, { skip: !isRoot }, () => {
    const root = freshRoot();
    const small = join(root, "opt");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=755", "none", small]);
    mounted.push(small);
    const start = pictureOf(root);
    assertCode(bash(line, ...install, ...select(root), "--skip-preflight", "disk-space"), 7);
    assert.deepEqual(pictureOf(root), start);
  });
}

test("kubeferry build whose reader goes away makes the bundle, and ends with its own code", async () => {
  const cluster = await standInCluster(join(folder, "cluster"));
  const kubeferry = [process.execPath, join(project, "builder/main.ts")];
  const options = [cluster.config, ...cluster.store, ...cluster.installers];
  const out = join(folder, "built.tar");
  assertCode(bash('"$@" | head -1', ...kubeferry, "build", ...options, "-o", out), 0);
  assertCode(bash('"$@" | head -1', ...kubeferry, "verify", out), 0);
  assertCode(bash('"$@" 2>&1 | true', ...kubeferry, "build", ...options, "-o", out), 2);
});

/** Sends the signal as soon as the first change is recorded; the picture that was before it is restored by undo. */
async function interrupted(signal: NodeJS.Signals, times: number): Promise<void> {
  const root = freshRoot();
  const start = pictureOf(root);
  const running = startInstaller(select(root, large));
  const journal = join(root, "var/lib/kubeferry/journal");
  while (!existsSync(journal)) await soon(5);
  for (let time = 0; time < times; time += 1) running.kill(signal);
  const ran = await running.ended;
  assertCode(ran, 130);
  assert.match(ran.stderr, /INTERRUPTED/);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
}

test("SIGHUP stops between two changes, as Ctrl-C does, however often it comes", async () => {
  await interrupted("SIGHUP", 1);
  await interrupted("SIGHUP", 5);
  await interrupted("SIGTERM", 1);
});

test("a terminal that closes stops between two changes; the same command ends the work", async () => {
  const root = freshRoot();
  const journal = join(root, "var/lib/kubeferry/journal");
  const pid = join(folder, "pid");
  // The leader of the terminal's session is who hears of its end.
  const line = `echo $$ > '${pid}'; exec ${[...install, ...select(root, large)].map((word) => `'${word}'`).join(" ")}`;
  const terminal = spawn("script", ["-qefc", line, "/dev/null"], { stdio: ["pipe", "ignore", "ignore"] });
  while (!existsSync(journal)) await soon(5);
  terminal.kill("SIGKILL");
  while (existsSync(`/proc/${readFileSync(pid, "utf8").trim()}/exe`)) await soon(20);
  const last = decodeRecords(readFileSync(journal, "utf8")).at(-1)?.type;
  assert.ok(last === "done" || last === "ready", last);
  assertCode(await installer(...select(root, large)), 0);
  assertCode(await installer("audit", "--root", root), 0);
});

/** Runs a command on a terminal, and presses the keys once it has asked something. */
async function atTerminal(command: readonly string[], question: string, keys: string): Promise<Ran> {
  const line = command.map((word) => `'${word}'`).join(" ");
  const terminal = spawn("script", ["-qec", line, "/dev/null"], { cwd: folder, stdio: "pipe" });
  let stdout = "";
  let pressed = false;
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (!pressed && stdout.includes(question)) terminal.stdin.write(keys);
    pressed ||= stdout.includes(question);
  });
  return await new Promise((resolve) => {
    terminal.once("close", (code, signal) => resolve({ code, signal, stdout, stderr: "" }));
  });
}

test("a question that is left by Ctrl-D or Ctrl-C is never taken for an answer, nor for the end of the work", async () => {
  const identity = await generateX25519Identity();
  const sealed = await writeNodeBundle(join(folder, "sealed.tar"), {
    recipients: [await identityToRecipient(identity)],
  });
  const root = freshRoot();
  const start = pictureOf(root);
  const asking = [...install, ...select(root, sealed)];
  const missing = await atTerminal(asking, "Key of worker: ", "\x04");
  assertCode(missing, 5);
  assert.match(missing.stdout, /KEY_MISSING/);
  const stopped = await atTerminal(asking, "Key of worker: ", "\x03");
  assertCode(stopped, 130);
  assert.match(stopped.stdout, /INTERRUPTED/);
  assert.deepEqual(pictureOf(root), start);
  const given = await atTerminal(asking, "Key of worker: ", `${identity}\r`);
  assertCode(given, 0);
  assert.ok(!given.stdout.includes(identity), "a key is echoed by nobody");

  const init = [process.execPath, join(project, "builder/main.ts"), "init"];
  for (const keys of ["\x04", "\x03"]) {
    const left = await atTerminal(init, "Name of the cluster", keys);
    assertCode(left, 130);
    assert.match(left.stdout, /INTERRUPTED/);
    assert.doesNotMatch(left.stdout, /bug/);
  }
  const answered = await atTerminal(init, "Name of the cluster", "plant-9\r\r\r\r");
  assertCode(answered, 0);
  assert.match(answered.stdout, /^name: plant-9/m);
});

/** What a terminal of 40 columns gets of `store verify`, which shows progress and has an error to paint. */
function drawn(environment: Record<string, string>, line: string): string {
  const kubeferry = `${process.execPath} ${join(project, "builder/main.ts")}`;
  const env = { PATH: process.env["PATH"], KUBEFERRY: kubeferry, ...environment };
  const argv = ["-qec", `stty cols 40; ${line}`, "/dev/null"];
  return spawnSync("script", argv, { encoding: "utf8", cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] }).stdout;
}

test("a terminal gets colours and one line of progress in its width; TERM=dumb, NO_COLOR and a log get none of that", async () => {
  const { store } = await standInCluster(join(folder, "drawn"));
  const logged = drawn(
    { TERM: "xterm" },
    `$KUBEFERRY fetch ${join(folder, "drawn/cluster.yaml")} ${store.join(" ")} > log; cat log`,
  );
  assert.match(logged, /load {7}cluster/);
  assert.doesNotMatch(readFileSync(join(folder, "log"), "utf8"), /\x1b/);
  const damaged = "0".repeat(64);
  mkdirSync(join(store[1] ?? "", "sha256/00"), { recursive: true });
  writeFileSync(join(store[1] ?? "", "sha256/00", damaged), "not that");
  const verify = `$KUBEFERRY store verify ${store.slice(0, 2).join(" ")}`;
  const usual = drawn({ TERM: "xterm" }, verify);
  assert.match(usual, /\x1b\[31merror\x1b\[0m DIGEST_MISMATCH/);
  const [, progress = ""] = /(verify [^\r]*)\r\x1b\[K/.exec(usual) ?? [];
  assert.match(progress, /^verify {2}\d+ of \d+/);
  assert.ok(progress.length < 40, progress);
  const dumb = drawn({ TERM: "dumb" }, verify);
  assert.match(dumb, /^error DIGEST_MISMATCH/m);
  assert.doesNotMatch(dumb, /\x1b/);
  const plain = drawn({ TERM: "xterm", NO_COLOR: "1" }, verify);
  assert.match(plain, /\r\x1b\[Kerror DIGEST_MISMATCH/);
  const help = drawn({ TERM: "xterm" }, "$KUBEFERRY store verify --help");
  const prose = help.split("\r\n").filter((shown) => !shown.startsWith("Usage: ") && !shown.startsWith("  $ "));
  assert.deepEqual(
    prose.filter((shown) => shown.length > 40),
    [],
  );
});

function soon(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
