/** The audit as a report: what it looked at, where the bundle came from, every difference, in text and as JSON. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeNodeBundle } from "../support/node-bundle.ts";
import { installer, type Ran } from "../support/tree.ts";

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
