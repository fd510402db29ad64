/** Undo is done by the installer that the journal names, from its copy beside the journal. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeRecords, encodeRecord } from "../../installer/journal/journal.ts";
import { writeNodeBundle } from "../builders/node-bundle.ts";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-kept-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("an installer of another version hands undo over to the kept copy, with its words and its exit code", async () => {
  // Node under an installer's name stands for the packed executable, whose name is all that tells it apart.
  const program = join(folder, "install-stand-in");
  cpSync(process.execPath, program);
  const run = (...args: string[]) =>
    spawnSync(program, ["installer/main.ts", ...args], { cwd: project, encoding: "utf8" });
  const root = join(folder, "root");
  mkdirSync(root);
  const bundle = await writeNodeBundle(join(folder, "bundle.tar"));
  const installed = run("--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root);
  assert.equal(installed.status, 0, installed.stderr);
  const state = join(root, "var/lib/kubeferry");
  assert.ok(readFileSync(join(state, "install")).equals(readFileSync(program)), "the installer keeps itself");

  const records = decodeRecords(readFileSync(join(state, "journal"), "utf8"));
  const older = records.map((record) => (record.type === "begin" ? { ...record, installer: "0.0.1" } : record));
  writeFileSync(join(state, "journal"), older.map((record) => encodeRecord(record)).join(""));
  rmSync(join(state, "install"));
  writeFileSync(join(state, "install"), '#!/bin/sh\necho "kept: $*"\nexit 42\n');
  chmodSync(join(state, "install"), 0o755);
  const handed = run("undo", "--root", root);
  assert.equal(handed.status, 42, handed.stderr);
  assert.match(handed.stdout, new RegExp(`kept: undo --root ${root}`));
  assert.match(handed.stdout, /Kubeferry 0\.0\.1, which installed this/);

  rmSync(join(state, "install"));
  assert.equal(run("undo", "--root", root).status, 0, "without the copy, whoever is here does it");
  assert.ok(!existsSync(state));
  assert.equal(execFileSync("ls", ["-A", root], { encoding: "utf8" }), "");
});
