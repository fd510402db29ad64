/** The audit as a report: what it looked at, where the bundle came from, every difference, in text and as JSON. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { decodeRecords, encodeRecord, type JournalRecord } from "../../installer/journal/journal.ts";
import { unpackNodeBundle, writeNodeBundle } from "../builders/node-bundle.ts";
import { requirePackages } from "../programs/packages.ts";
import { installer, type Ran } from "../programs/tree.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-audit-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}

const records = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a clean node's report says what was looked at and what an auditor should know of the bundle", async () => {
  const root = join(folder, "clean");
  mkdirSync(root);
  const bundle = await writeNodeBundle(join(folder, "bundle.tar"), {
    edit(index) {
      const [file] = index.files;
      assert.ok(file);
      file.origin = { from: "artifact", url: "https://example.org/serve", digest: "sha256:0", pinnedBy: "first-use" };
    },
  });
  assertCode(await installer("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root), 0);
  const report = await installer("audit", "--root", root);
  assertCode(report, 0);
  for (const line of [
    /the bundle was not signed/,
    /secrets travelled unencrypted/,
    /1 files have a digest that was trusted on first use/,
    /audit +\d+ files, \d+ directories, 1 units, \d+ settings: all is what was installed/,
    /payload [0-9a-f]{64}/,
  ]) {
    assert.match(report.stdout, line);
  }
  const summary = records(await installer("audit", "--root", root, "--json")).find(({ type }) => type === "audit");
  assert.equal(summary?.["differences"], 0);
  assert.equal(summary?.["remarks"], 3);
});

test("each difference is a record, and the command ends with 9", async () => {
  const root = join(folder, "drifted");
  mkdirSync(root);
  const bundle = join(folder, "bundle.tar");
  assertCode(await installer("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root), 0);
  const binary = join(root, "opt/ferry/bin/serve");
  const bytes = readFileSync(binary);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(binary, bytes);
  chmodSync(join(root, "etc/ferry/serve.conf"), 0o600);
  chownSync(join(root, "etc/sysctl.d/90-ferry.conf"), 1234, 1234);
  rmSync(join(root, "etc/systemd/system/serve.service"));
  writeFileSync(join(root, "etc/ferry/pki/stranger.pem"), "");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  const report = await installer("audit", "--root", root, "--json");
  assertCode(report, 9);
  const errors = records(report).filter(({ type, severity }) => type === "finding" && severity === "error");
  assert.deepEqual(errors.map(({ check }) => String(check)).toSorted(), [
    "changed",
    "extra",
    "missing",
    "mode",
    "owner",
    "setting",
  ]);
  assert.ok(errors.every(({ hint }) => typeof hint === "string"));
  assert.equal(records(report).find(({ type }) => type === "audit")?.["differences"], 6);
});

test("the installed index is checked against the public key that the auditor brings", async () => {
  requirePackages("minisign");
  const minisign = (...words: string[]): unknown => execFileSync("minisign", words, { stdio: "ignore" });
  const bundle = join(folder, "signed");
  await unpackNodeBundle(bundle);
  for (const name of ["mine", "other"]) {
    minisign("-G", "-W", "-p", join(folder, `${name}.pub`), "-s", join(folder, `${name}.key`));
  }
  const root = join(folder, "signed-root");
  mkdirSync(root);
  const as = ["--role", "worker", "--ip", "10.0.0.9", "--root", root];
  const audit = (name: string): Promise<Ran> =>
    installer("audit", "--root", root, "--public-key", join(folder, `${name}.pub`));

  assertCode(await installer("--bundle", bundle, ...as), 0);
  const unsigned = await audit("mine");
  assertCode(unsigned, 9);
  assert.match(unsigned.stdout, /SHA256SUMS\.minisig is not good: the bundle is not signed/);
  assertCode(await installer("undo", "--root", root), 0);

  minisign("-S", "-s", join(folder, "mine.key"), "-m", join(bundle, "SHA256SUMS"));
  assertCode(await installer("--bundle", bundle, ...as), 0);
  const good = await audit("mine");
  assertCode(good, 0);
  assert.match(good.stdout, /signature +the installed index is what this key signed/);
  const key = readFileSync(join(folder, "mine.pub"), "utf8").trim().split("\n").at(-1) ?? "";
  assertCode(await installer("audit", "--root", root, "--public-key", key), 0);
  const other = await audit("other");
  assertCode(other, 9);
  assert.match(other.stdout, /signed with another key/);

  const state = join(root, "var/lib/kubeferry");
  const [payload = ""] = readdirSync(join(state, "bundles"));
  const kept = (name: string): string => join(state, "bundles", payload, name);
  const refused = async (path: string, change: (text: string) => string, said: RegExp): Promise<void> => {
    const text = readFileSync(path, "utf8");
    writeFileSync(path, change(text));
    const ran = await audit("mine");
    assertCode(ran, 9);
    assert.match(ran.stdout, said);
    writeFileSync(path, text);
    assertCode(await audit("mine"), 0);
  };
  await refused(kept("bundle.json"), (text) => text.replace("sample", "simple"), /is not the index that was installed/);
  await refused(
    kept("SHA256SUMS"),
    (text) => text.replace(/^./, "0"),
    /does not list this index|is not what was signed/,
  );
  await refused(kept("SHA256SUMS.minisig"), (text) => text.replace(/payload|timestamp/, "x"), /is not good/);

  // Whoever may change a file may change the journal too, digests and all: then only the signed index tells.
  const path = join(root, "opt/ferry/bin/serve-again");
  const [bytes, journal] = [readFileSync(path), readFileSync(join(state, "journal"), "utf8")];
  writeFileSync(path, "x".repeat(bytes.length));
  const digest = digestOf(bytes);
  const changed = decodeRecords(journal).map((record) => {
    const text = JSON.stringify(record);
    const mine = text.replace(
      /("path":"\/opt\/ferry\/bin\/serve-again"[^}]*\}[^}]*"digest":")[0-9a-f]{64}/,
      (_, start: string) => start + digestOf("x".repeat(bytes.length)),
    );
    return encodeRecord(JSON.parse(mine) as JournalRecord);
  });
  writeFileSync(join(state, "journal"), changed.join(""));
  assert.notEqual(readFileSync(join(state, "journal"), "utf8"), journal, `${digest} is in the journal`);
  const forged = await audit("mine");
  assertCode(forged, 9);
  assert.match(forged.stdout, /serve-again is noted in the journal as something else than the bundle has/);
  writeFileSync(join(state, "journal"), journal);
  writeFileSync(path, bytes);
  assertCode(await audit("mine"), 0);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(readdirSync(root), []);
});
