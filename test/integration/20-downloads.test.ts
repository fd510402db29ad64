/** Downloads from a real nginx that is cut, stopped, slow, wrong or private, by the command as an operator types it. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { digestFile, digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { fetchRelease } from "../../builder/sources/fetch.ts";
import { Store } from "../../builder/store/store.ts";
import { readLock } from "../../builder/lock/lock-file.ts";
import { cuttingRelay, type Nginx, startNginx } from "../servers/nginx.ts";
import { basicUser, makeOwnCa } from "../builders/own-ca.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-downloads-"));
const root = join(folder, "root");
/** Incompressible, as a release's archives nearly are. */
const tool = Buffer.alloc(8_000_000);
let archive = "";
let size = 0;
let nginx: Nginx;

before(async () => {
  requirePackages("nginx", "openssl");
  mkdirSync(join(root, "wrong"), { recursive: true });
  for (let at = 0, state = 1; at + 4 <= tool.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    tool.writeUInt32LE(state, at);
  }
  mkdirSync(join(folder, "tree/bin"), { recursive: true });
  writeFileSync(join(folder, "tree/bin/tool"), tool);
  archive = join(root, "tool.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", join(folder, "tree"), "bin"]);
  size = statSync(archive).size;
  const wrong = readFileSync(archive);
  wrong.writeUInt8(wrong.readUInt8(size >> 1) ^ 1, size >> 1);
  writeFileSync(join(root, "wrong/tool.tar.gz"), wrong);
  const locations = `location /slow/ { alias ${root}/; limit_rate 2m; }`;
  nginx = await startNginx(join(folder, "nginx"), root, { locations });
});
after(async () => {
  await nginx.close();
  rmSync(folder, { recursive: true });
});

interface Job {
  readonly config: string;
  readonly cache: string;
}

let jobs = 0;
/** A cluster of one component, whose archive lies at `url`. */
function job(url: string, mirrors: readonly string[] = []): Job {
  const place = join(folder, `job-${(jobs += 1)}`);
  mkdirSync(place);
  const { digest } = digestFile(archive);
  writeFileSync(
    join(place, "release.yaml"),
    `release: loopback
description: one tool
generation: distro
kubernetes: null
components:
  - name: tool
    version: "1"
    roles: [etcd]
    artifacts:
      - platform: linux/amd64
        from: ${url}
        mirrors: ${JSON.stringify(mirrors)}
        digest: sha256:${digest}
        files: { bin/tool: tool }
`,
  );
  const config = join(place, "cluster.yaml");
  const nodes = "nodes: [{ name: n1, ip: 10.0.0.11, roles: [etcd] }]";
  writeFileSync(config, `name: loopback\nrelease: ${join(place, "release.yaml")}\n${nodes}\n`);
  return { config, cache: join(place, "cache") };
}

function start(command: string, { config, cache }: Job, ...options: string[]) {
  const main = join(import.meta.dirname, "../../builder/main.ts");
  const words = [main, command, config, "--cache", cache, ...options];
  const child = spawn(process.execPath, words, { env: { PATH: process.env["PATH"], HOME: folder } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, text }));
  });
  return { child, ended };
}

async function fetch(what: Job, ...options: string[]): Promise<{ code: number | null; text: string }> {
  return await start("fetch", what, ...options).ended;
}

async function assertFetched({ cache }: Job): Promise<void> {
  const store = await Store.open(cache);
  assert.equal(await store.has(digestOf(tool)), true);
  assert.deepEqual(readdirSync(join(cache, "partial")), []);
}

test("a connection cut at 60 % is resumed, and the digest holds", async () => {
  nginx.clearLog();
  const relay = await cuttingRelay(nginx.port, Math.floor(size * 0.6));
  const what = job(`${relay.url}/tool.tar.gz`);
  const { code, text } = await fetch(what);
  relay.close();
  assert.equal(code, 0, text);
  await assertFetched(what);
  const [first, second, ...more] = await nginx.settled(2);
  assert.deepEqual(more, []);
  assert.equal(first?.status, 200);
  assert.equal(second?.status, 206);
  const from = Number(/^bytes=(\d+)-$/.exec(second.range)?.[1]);
  assert.ok(from > size * 0.5 && from < size * 0.6, `resumed from ${from} of ${size}`);
  assert.equal(second.sent, size - from);
});

test("a wrong byte is never stored: exit 5, with what was wanted and found", async () => {
  nginx.clearLog();
  const what = job(`${nginx.url}/wrong/tool.tar.gz`);
  const { code, text } = await fetch(what);
  assert.equal(code, 5, text);
  assert.match(text, /DIGEST_MISMATCH/);
  assert.ok(text.includes(`expected: sha256:${digestFile(archive).digest}`), text);
  assert.ok(text.includes(`found: sha256:${digestFile(join(root, "wrong/tool.tar.gz")).digest}`), text);
  assert.deepEqual(readdirSync(join(what.cache, "sha256")), []);
  for (const name of ["partial", "temporary", "members"]) assert.deepEqual(readdirSync(join(what.cache, name)), []);
  assert.equal(nginx.asked().length, 1);
});

test("a wrong byte of a mirror is told, and upstream's right ones are taken", async () => {
  const what = job(`${nginx.url}/tool.tar.gz`);
  const { code, text } = await fetch(what, "--mirror", `${nginx.url}/wrong`);
  assert.equal(code, 0, text);
  assert.match(text, /wrong\/tool\.tar\.gz: DIGEST_MISMATCH/);
  await assertFetched(what);
});

test("a stalled server is left after its time-out for the next place", async () => {
  const stopped = await startNginx(join(folder, "stopped"), root);
  try {
    const what = job(`${stopped.url}/tool.tar.gz`, [`${nginx.url}/tool.tar.gz`]);
    assert.equal((await start("lock", what).ended).code, 0);
    const lock = await readLock(what.config.replace(/\.yaml$/, ".lock"));
    assert.ok(lock !== null);
    stopped.process.kill("SIGSTOP");
    nginx.clearLog();
    const said: string[] = [];
    const reporter = createReporter({ out: { write: () => true }, err: { write: (text) => said.push(text) } });
    const store = await Store.open(what.cache);
    const http = { stallMs: 500, backoffMs: 1 };
    const files = await fetchRelease({ lock, store, mirrors: [], offline: false, reporter, http });
    assert.deepEqual(
      files.map(({ name, digest }) => [name, digest]),
      [["tool", digestOf(tool)]],
    );
    assert.ok(
      said.some((text) => text.includes(`${stopped.url}/tool.tar.gz: STALLED`)),
      said.join(""),
    );
    assert.equal((await nginx.settled(1)).length, 1);
  } finally {
    await stopped.close();
  }
});

test("404 is asked for once: exit 4", async () => {
  nginx.clearLog();
  const { code, text } = await fetch(job(`${nginx.url}/none.tar.gz`));
  assert.equal(code, 4, text);
  assert.match(text, /NOT_FOUND/);
  assert.deepEqual(
    nginx.asked().map(({ path, status }) => [path, status]),
    [["/none.tar.gz", 404]],
  );
});

test("after SIGKILL in mid-download the next run fetches only what is missing, and a third nothing", async () => {
  nginx.clearLog();
  const what = job(`${nginx.url}/slow/tool.tar.gz`);
  const { child, ended } = start("fetch", what);
  while (partSize(what) < 1_000_000 && child.exitCode === null) await sleep(20);
  child.kill("SIGKILL");
  await ended;
  const got = partSize(what);
  assert.ok(got >= 1_000_000 && got < size, `${got} of ${size} bytes were there`);
  assert.deepEqual(readdirSync(join(what.cache, "sha256")), [], "nothing unverified is in the store");
  await nginx.settled(1);
  nginx.clearLog();
  const second = await fetch(what);
  assert.equal(second.code, 0, second.text);
  await assertFetched(what);
  const asked = await nginx.settled(1);
  assert.deepEqual(asked, [{ path: "/slow/tool.tar.gz", status: 206, sent: size - got, range: `bytes=${got}-` }]);
  const third = await fetch(what, "--offline");
  assert.equal(third.code, 0, third.text);
  assert.equal(nginx.asked().length, 1);
});

test("a published list of checksums pins what the release does not, and what nobody published is trusted only when asked", async () => {
  nginx.clearLog();
  const { digest } = digestFile(archive);
  const listed = job(`${nginx.url}/tool.tar.gz`);
  const release = join(listed.config, "../release.yaml");
  const text = readFileSync(release, "utf8");
  writeFileSync(join(root, "SHA256SUMS"), `${digestOf("other")}  other.tar.gz\n${digest}  tool.tar.gz\n`);
  writeFileSync(release, text.replace(/digest: .*/, `checksum: ${nginx.url}/SHA256SUMS`));
  assert.equal((await start("lock", listed).ended).code, 0);
  const pinnedBy = async ({ config }: Job): Promise<unknown> =>
    (await readLock(config.replace(/\.yaml$/, ".lock")))?.artifacts.map((one) => [one.digest, one.pinnedBy]);
  assert.deepEqual(await pinnedBy(listed), [[`sha256:${digest}`, "upstream"]]);

  const nobody = job(`${nginx.url}/tool.tar.gz`);
  writeFileSync(join(nobody.config, "../release.yaml"), text.replace(/digest: .*/, "pin: missing"));
  const refused = await start("lock", nobody).ended;
  assert.equal(refused.code, 3, refused.text);
  assert.match(refused.text, /PIN_MISSING[\s\S]*tool linux\/amd64[\s\S]*--trust-first-use/);
  nginx.clearLog();
  const trusted = await start("lock", nobody, "--trust-first-use").ended;
  assert.equal(trusted.code, 0, trusted.text);
  assert.deepEqual(await pinnedBy(nobody), [[`sha256:${digest}`, "first-use"]]);
  assert.equal((await fetch(nobody)).code, 0);
  await assertFetched(nobody);
  assert.equal((await nginx.settled(1)).length, 1, "what lock downloaded is not downloaded again");
});

test("two builds at once on one store both succeed, and the store is sound", async () => {
  const what = job(`${nginx.url}/slow/tool.tar.gz`);
  assert.equal((await start("lock", what).ended).code, 0);
  const both = await Promise.all([fetch(what), fetch(what)]);
  for (const { code, text } of both) assert.equal(code, 0, text);
  await assertFetched(what);
  assert.deepEqual(readdirSync(join(what.cache, "temporary")), []);
});

test("a private mirror with a CA of its own is trusted by --ca and entered with ~/.netrc", async () => {
  const place = join(folder, "private");
  const { ca, tls } = makeOwnCa(place);
  writeFileSync(join(place, "users"), basicUser("ferry", "a-password"));
  const server = await startNginx(join(place, "nginx"), root, {
    tls,
    locations: `auth_basic private; auth_basic_user_file ${join(place, "users")};`,
  });
  try {
    const what = job(`${server.url}/tool.tar.gz`);
    const distrusted = await fetch(what);
    assert.equal(distrusted.code, 4, distrusted.text);
    assert.match(distrusted.text, /certificate is not trusted/);
    const stranger = await fetch(what, "--ca", ca);
    assert.equal(stranger.code, 4, stranger.text);
    assert.match(stranger.text, /UNAUTHORIZED/);
    writeFileSync(join(folder, ".netrc"), "machine 127.0.0.1 login ferry password a-password\n", { mode: 0o600 });
    const welcome = await fetch(what, "--ca", ca);
    assert.equal(welcome.code, 0, welcome.text);
    await assertFetched(what);
    for (const { text } of [distrusted, stranger, welcome]) assert.ok(!text.includes("a-password"));
  } finally {
    rmSync(join(folder, ".netrc"), { force: true });
    await server.close();
  }
});

/** Bytes of the one part in the store, or 0. */
function partSize({ cache }: Job): number {
  try {
    const parts = readdirSync(join(cache, "partial")).filter((name) => !name.endsWith(".json"));
    return Math.max(0, ...parts.map((name) => statSync(join(cache, "partial", name)).size));
  } catch {
    return 0;
  }
}
