/** The support archive as a file: private, without a secret, readable with tar. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, type Ran } from "../programs/tree.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-support-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}

test("one file for its owner only, with what a stranger needs and no secret", async () => {
  const root = join(folder, "root");
  mkdirSync(root);
  const secret = "kf7abc.0123456789abcdef";
  const files = [
    ...nodeFiles,
    { path: "/etc/ferry/join.kubeconfig", content: `token: ${secret}\n`, mode: "0600", sensitive: true },
  ];
  const bundle = await writeNodeBundle(join(folder, "bundle.tar"), { files });
  assertCode(await installer("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root), 0);
  const output = join(folder, "support.tar");
  const support = ["support", "--root", root, "--bundle", bundle, "-o", output];
  assertCode(await installer(...support), 0);
  assert.equal(statSync(output).mode & 0o7777, 0o600);
  const names = execFileSync("tar", ["-tf", output], { encoding: "utf8" }).trim().split("\n");
  assert.deepEqual(names.toSorted(), [
    "facts.json",
    "findings.json",
    "journal.ndjson",
    "preflight.json",
    "versions.json",
  ]);
  const bytes = readFileSync(output);
  for (const planted of [secret, "a key\n", "PRIVATE KEY"]) assert.ok(!bytes.includes(planted), planted);
  assert.match(execFileSync("tar", ["-xOf", output, "versions.json"], { encoding: "utf8" }), /"release": "distro"/);
  assert.match(execFileSync("tar", ["-xOf", output, "preflight.json"], { encoding: "utf8" }), /"check": "disk-space"/);
  const again = await installer(...support);
  assertCode(again, 2);
  assert.match(again.stderr, /-o FILE/);
});
