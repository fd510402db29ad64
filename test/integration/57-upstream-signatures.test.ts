/** Upstream's lists, signed by the distribution's gpg: what `lock` takes from them, and what it refuses. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { clusterSchema } from "../../builder/config/cluster.ts";
import { releaseManifest } from "../../builder/config/release.ts";
import type { Lock, LockedArtifact } from "../../builder/lock/lock.ts";
import { fetchRelease } from "../../builder/sources/fetch.ts";
import { clearSigned, keysOf } from "../../builder/sources/openpgp.ts";
import { resolveLock } from "../../builder/sources/resolve.ts";
import { Store } from "../../builder/store/store.ts";
import { Gpg } from "../programs/gpg.ts";
import { serveFiles } from "../servers/file-server.ts";

const folder = mkdtempSync(join(tmpdir(), "kf-"));
const warned: string[] = [];
const reporter = createReporter({ out: { write: () => true }, err: { write: (text) => warned.push(text) } });
const servers: Server[] = [];
let gpg: Gpg;
let upstream = "";
let stranger = "";

before(() => {
  gpg = new Gpg(folder);
  upstream = gpg.key("Up Stream <up@example>");
  stranger = gpg.key("Some Body <some@example>");
});
after(() => {
  for (const server of servers) server.close();
  gpg.close();
  rmSync(folder, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string | Buffer | undefined>>;

/** `http://127.0.0.1:PORT` that serves these files. */
async function serve(files: Files): Promise<string> {
  const { server, url } = await serveFiles(
    Object.fromEntries(Object.entries(files).map(([name, file]) => [`/${name}`, file])),
  );
  servers.push(server);
  return url;
}

const digest = `sha256:${digestOf("the tool")}`;
const sums = `${digestOf("the tool")}  tool\n${digestOf("the tool's arm")}  tool.arm64\n`;

interface Asked {
  readonly by?: readonly string[];
  /** Whether the signature is a file of its own. */
  readonly apart?: boolean;
  /** What the release pins; otherwise the list is what pins it. */
  readonly pinned?: string;
  readonly mirrors?: readonly string[];
  readonly offline?: boolean;
}

async function lockFrom(address: string, asked: Asked = {}): Promise<LockedArtifact> {
  const { by = [upstream], apart = false, pinned, mirrors = [], offline = false } = asked;
  const artifact = {
    platform: "linux/amd64",
    from: `${address}/tool`,
    ...(pinned === undefined
      ? { checksum: `${address}/SHA256SUMS` }
      : { digest: pinned, published: "https://upstream.invalid/SHA256SUMS", checksum: `${address}/SHA256SUMS` }),
    signature: { by: "up", ...(apart && { from: `${address}/SHA256SUMS.asc` }) },
    files: { ".": "tool" },
  };
  const component = { name: "tool", version: "1", roles: ["worker"], artifacts: [artifact] };
  const signers = { up: { fingerprints: by, keys: `${address}/KEYS` } };
  const about = { release: "t", description: "x", generation: "distro", kubernetes: null };
  const manifest = { ...about, components: [component], signers };
  const nodes = [{ name: "n1", ip: "10.0.0.11", roles: ["etcd", "worker"] }];
  const { artifacts } = await resolveLock({
    cluster: clusterSchema.parse({ name: "t", release: "t", nodes }),
    manifest: releaseManifest.parse(manifest),
    manifestDigest: "0".repeat(64),
    now: new Date(),
    cache: mkdtempSync(join(folder, "cache-")),
    mirrors,
    offline,
    reporter,
    http: { attempts: 1, backoffMs: 1 },
  });
  const [one] = artifacts;
  assert.ok(one);
  return one;
}

/** What a list that is served as `text`, with these keys beside it, is refused for. */
async function refused(text: string, keys: string, why: RegExp, asked: Asked = {}, files: Files = {}): Promise<void> {
  const address = await serve({ SHA256SUMS: text, KEYS: keys, ...files });
  for (const pinned of [undefined, digest]) {
    await assert.rejects(lockFrom(address, { ...asked, ...(pinned && { pinned }) }), (error: Error) => {
      assert.equal((error as { code?: string }).code, "SIGNATURE_INVALID", String(error));
      assert.match(error.message, why);
      return true;
    });
  }
}

test("a list that upstream signed pins what it names, and the lock says who signed it", async () => {
  const day = new Date().toISOString().slice(0, 10);
  const address = await serve({
    KEYS: `Keys of those who sign.\n\n${gpg.export(stranger)}\nand\n${gpg.export(upstream)}`,
    SHA256SUMS: gpg.clearSign(sums, upstream),
    tool: "the tool",
  });
  const about = { version: 1, release: "t", manifest: "", locked: day } as const;
  const lock: Lock = { ...about, platforms: ["linux/amd64"], artifacts: [], images: [], packages: [], requests: [] };
  const signedBy = {
    fingerprint: upstream,
    name: "Up Stream <up@example>",
    signed: day,
    list: `${address}/SHA256SUMS`,
  };
  for (const pinned of [undefined, digest]) {
    const locked = await lockFrom(address, pinned === undefined ? {} : { pinned });
    assert.deepEqual([locked.digest, locked.signedBy], [digest, signedBy]);
    assert.equal(locked.pinnedBy, pinned === undefined ? "upstream" : "release");
    const store = await Store.open(mkdtempSync(join(folder, "store-")));
    const [file] = await fetchRelease({
      lock: { ...lock, artifacts: [locked] },
      store,
      mirrors: [],
      offline: false,
      reporter,
    });
    assert.deepEqual(file?.origin.signedBy, signedBy, "what a bundle says of the file");
    assert.equal(file.origin.published, pinned === undefined ? signedBy.list : "https://upstream.invalid/SHA256SUMS");
  }
});

test("a detached signature, armoured or not, is as good, and so is one by a subkey or one of several", async () => {
  const owner = gpg.key("Sub Key <sub@example>");
  gpg.run(["--quick-add-key", owner, "ed25519", "sign", "never"]);
  const bySubkey = gpg.detach(sums, owner, "--armor");
  const packets = gpg.run(["--list-packets"], bySubkey).toString();
  assert.doesNotMatch(packets, new RegExp(`keyid ${owner.slice(-16)}`), "gpg takes the subkey");
  const both = Buffer.concat([gpg.detach(sums, stranger), gpg.detach(sums, upstream)]);
  const KEYS = gpg.run(["--export", upstream, owner]);
  for (const signature of [gpg.detach(sums, upstream), gpg.detach(sums, upstream, "--armor"), both]) {
    const address = await serve({ KEYS, SHA256SUMS: sums, "SHA256SUMS.asc": signature });
    assert.equal((await lockFrom(address, { apart: true })).signedBy?.fingerprint, upstream);
  }
  const address = await serve({ KEYS, SHA256SUMS: sums, "SHA256SUMS.asc": bySubkey });
  assert.equal((await lockFrom(address, { apart: true, by: [owner] })).signedBy?.fingerprint, owner);
});

test("what is not signed by a key that the release names is refused", async () => {
  const own = gpg.clearSign(sums, stranger);
  await refused(own, gpg.export(upstream, stranger), /signed by another key/);
  await refused(own, gpg.export(stranger), /none of the keys that the release trusts/);
  await refused(sums, gpg.export(upstream), /carries no signature/);
  const evil = `${digestOf("an evil tool")}  tool\n`;
  const detached = { "SHA256SUMS.asc": gpg.detach(sums, upstream) };
  await refused(evil, gpg.export(upstream), /changed after it was signed/, { apart: true }, detached);
  await refused(sums, "no keys", /no OpenPGP public keys/);
  await refused(sums, gpg.export(upstream), /no OpenPGP signature/, { apart: true }, { "SHA256SUMS.asc": "<html>" });
});

test("what the release says is there, and upstream does not have, is named", async () => {
  const files = { KEYS: gpg.export(upstream), SHA256SUMS: sums, "SHA256SUMS.asc": gpg.detach(sums, upstream) };
  for (const name of Object.keys(files)) {
    const address = await serve({ ...files, [name]: undefined });
    for (const pinned of [undefined, digest]) {
      const expected = { code: "SIGNATURE_INVALID", where: `${address}/${name}`, found: "NOT_FOUND" };
      await assert.rejects(lockFrom(address, { apart: true, ...(pinned && { pinned }) }), expected);
    }
  }
});

test("nothing counts that stands beside what was signed", async () => {
  const signed = gpg.clearSign(sums, upstream);
  const evil = `${digestOf("an evil tool")}  tool\n`;
  const keys = gpg.export(upstream);
  await refused(evil + signed, keys, /text outside/);
  await refused(signed + evil, keys, /text outside/);
  await refused(signed + signed.replace(digestOf("the tool"), digestOf("an evil tool")), keys, /text outside/);
  await refused(signed.replace("\n\n", `\n${evil}\n`), keys, /no clear-signed text/);
  await refused(signed.replace("\n\n", `\n\n${evil}`), keys, /changed after it was signed/);
});

test("a key that had expired or was revoked, a signature that ended, and SHA-1 are refused", async () => {
  const then = (day: string): string[] => ["--faked-system-time", `${day}T000000!`];
  const old = gpg.key("Old Key <old@example>", "ed25519", ...then("20240101"));
  const ended = gpg.clearSign(sums, old, "--default-sig-expire", "1d", ...then("20240601"));
  await refused(ended, gpg.export(old), /Signature is expired/, { by: [old] });

  const early = gpg.clearSign(sums, old, ...then("20240601"));
  const late = gpg.clearSign(sums, old);
  gpg.run([...then("20240301"), "--quick-set-expire", old, "2025-01-01"]);
  await refused(late, gpg.export(old), /key is expired/, { by: [old] });
  // What it signed while it was valid stays signed: nobody signs old releases anew.
  const address = await serve({ KEYS: gpg.export(old), SHA256SUMS: early });
  assert.equal((await lockFrom(address, { by: [old] })).signedBy?.signed, "2024-06-01");

  // A prolonged key whose file has nothing but its newest word.
  gpg.run(["--quick-set-expire", old, "2y"]);
  const newest = gpg.run(["--armor", "--export-options", "export-minimal", "--export", old]);
  const prolonged = await serve({ KEYS: newest, SHA256SUMS: early });
  assert.equal((await lockFrom(prolonged, { by: [old] })).signedBy?.fingerprint, old);

  gpg.run(["--import"], gpg.revocation(old));
  await refused(early, gpg.export(old), /revoked/, { by: [old] });

  const rsa = gpg.key("Rsa <rsa@example>", "rsa2048");
  assert.equal(
    (await lockFrom(await serve({ KEYS: gpg.export(rsa), SHA256SUMS: gpg.clearSign(sums, rsa) }), { by: [rsa] }))
      .signedBy?.fingerprint,
    rsa,
  );
  const weak = gpg.clearSign(sums, rsa, "--digest-algo", "SHA1");
  await refused(weak, gpg.export(rsa), /Insecure message hash algorithm: SHA1/, { by: [rsa] });
});

test("a digest that the release pins must be the one that upstream signed", async () => {
  const other = `sha256:${digestOf("another tool")}`;
  const address = await serve({ KEYS: gpg.export(upstream), SHA256SUMS: gpg.clearSign(sums, upstream) });
  await assert.rejects(lockFrom(address, { pinned: other }), {
    code: "DIGEST_MISMATCH",
    expected: other,
    found: digest,
  });
});

test("where upstream cannot be asked a mirror's signed list is as good, and without one the lock says nothing", async () => {
  const files = { KEYS: gpg.export(upstream), SHA256SUMS: gpg.clearSign(sums, upstream) };
  const down = await serve({});
  servers.pop()?.close();
  const evil = await serve({ ...files, SHA256SUMS: gpg.clearSign(sums, stranger) });
  const asked = { pinned: digest, mirrors: [evil, await serve(files)] };
  assert.equal((await lockFrom(down, asked)).signedBy?.fingerprint, upstream);
  const mirror = join(folder, "mirror");
  mkdirSync(mirror);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(mirror, name), text);
  assert.equal((await lockFrom(down, { ...asked, mirrors: [mirror], offline: true })).signedBy?.fingerprint, upstream);
  for (const offline of [true, false]) {
    warned.length = 0;
    const { signedBy, pinnedBy } = await lockFrom(down, { pinned: digest, offline });
    assert.deepEqual([signedBy, pinnedBy], [undefined, "release"]);
    assert.match(warned.join(""), /nobody's signature of .*SHA256SUMS was checked: (OFFLINE|UNREACHABLE)/);
  }
});

test("a list of the distribution's own, as its machines have it, is read as apt reads it", async (context) => {
  const lists = "/var/lib/apt/lists";
  const name = existsSync(lists)
    ? readdirSync(lists).find((one) => /_debian_dists_[a-z]+_InRelease$/.test(one))
    : undefined;
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  if (name === undefined || !existsSync(keyring)) return context.skip("no list of Debian's is here");
  const text = readFileSync(join(lists, name), "utf8");
  const known = gpg.run(["--with-colons", "--show-keys", keyring]).toString();
  const fingerprints = [...known.matchAll(/^pub:.*\n(?:fpr):+([0-9A-F]+):/gm)].map(([, one = ""]) => one);
  const keys = await keysOf(readFileSync(keyring), fingerprints, keyring);
  const { signer, text: signed } = await clearSigned(text, keys, name);
  assert.match(signer.name, /^Debian /);
  assert.match(signed, /^SHA256:$/m);
  const broken = text.replace(/^Date: /m, "Date:  ");
  await assert.rejects(clearSigned(broken, keys, name), { code: "SIGNATURE_INVALID" });
});
