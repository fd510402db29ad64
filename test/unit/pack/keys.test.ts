import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { openKeys, rekey } from "../../../builder/pack/keys.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-keys-"));
after(() => rmSync(root, { recursive: true, force: true }));

function place(): { folder: string; pki: string } {
  const beside = mkdtempSync(join(root, "x-"));
  return { folder: join(beside, "plant.keys"), pki: join(beside, "plant.pki") };
}

const textOf = (folder: string, node: string): string => readFileSync(join(folder, `${node}.key`), "utf8");

test("each node has a key in a file of its own, private, made once and reused", async () => {
  const where = place();
  const first = await openKeys({ ...where, nodes: ["n1", "n2"] });
  assert.deepEqual(readdirSync(where.folder), ["n1.key", "n2.key"]);
  assert.equal(lstatSync(where.folder).mode & 0o777, 0o700);
  for (const node of ["n1", "n2"]) {
    assert.match(textOf(where.folder, node), /^# opens .*\n# public key: age1\w+\nAGE-SECRET-KEY-1[A-Z0-9]+\n$/);
    assert.equal(lstatSync(join(where.folder, `${node}.key`)).mode & 0o777, 0o600);
  }
  assert.equal(lstatSync(join(where.pki, "operator.key")).mode & 0o777, 0o600);
  const before = textOf(where.folder, "n1");
  assert.deepEqual(await openKeys({ ...where, nodes: ["n1", "n2"] }), first);
  await openKeys({ ...where, nodes: ["n0", "n1"] });
  assert.equal(textOf(where.folder, "n1"), before);
  assert.deepEqual(first.notes, []);
});

test("a public recipient of the operator is used and no operator key is made; others are recipients too", async () => {
  const where = place();
  const officer = await identityToRecipient(await generateX25519Identity());
  const keys = await openKeys({ ...where, nodes: ["n1"], operator: "age1operator", others: [officer] });
  assert.equal(keys.operator, "age1operator");
  assert.deepEqual(keys.others, [officer]);
  assert.ok(!readdirSync(where.pki).includes("operator.key"));
  await assert.rejects(openKeys({ ...where, nodes: ["n1"], others: ["age1wrong"] }), { code: "USAGE" });
});

test("a key that was lost and made anew is said, once", async () => {
  const where = place();
  await openKeys({ ...where, nodes: ["n1", "n2"] });
  rmSync(join(where.folder, "n1.key"));
  const { notes } = await openKeys({ ...where, nodes: ["n1", "n2"] });
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /^n1 has a new key, .*n1\.key: bundles of before open only with its older one/);
  assert.deepEqual((await openKeys({ ...where, nodes: ["n1", "n2"] })).notes, []);
});

test("rekey sets keys aside and makes new ones, of all nodes or those that are named", async () => {
  const where = place();
  const first = await openKeys({ ...where, nodes: ["n1", "n2"] });
  const [n1, n2] = [textOf(where.folder, "n1"), textOf(where.folder, "n2")];
  const aside = await rekey(where.folder, ["n1"]);
  assert.deepEqual(aside, [join(where.folder, "n1.key.old-1")]);
  assert.equal(readFileSync(aside[0] ?? "", "utf8"), n1);
  assert.equal(textOf(where.folder, "n2"), n2);
  const second = await openKeys({ ...where, nodes: ["n1", "n2"] });
  assert.notEqual(second.nodes.get("n1"), first.nodes.get("n1"));
  assert.equal(second.notes.length, 1);
  assert.equal((await rekey(where.folder, [])).length, 2);
  await assert.rejects(rekey(where.folder, ["n3"]), { code: "NODE_UNKNOWN" });
});

test("keys that others may read are refused, and so are a file that is no key and the one file of before", async () => {
  const where = place();
  await openKeys({ ...where, nodes: ["n1"] });
  const path = join(where.folder, "n1.key");
  chmodSync(path, 0o640);
  await assert.rejects(openKeys({ ...where, nodes: ["n1"] }), { code: "PKI_INVALID", where: path });
  chmodSync(path, 0o600);
  chmodSync(where.folder, 0o755);
  await assert.rejects(openKeys({ ...where, nodes: ["n1"] }), { code: "PKI_INVALID", where: where.folder });
  chmodSync(where.folder, 0o700);
  writeFileSync(path, "hunter2\n");
  await assert.rejects(openKeys({ ...where, nodes: ["n1"] }), { code: "KEY_WRONG" });
  const older = place();
  writeFileSync(older.folder, "n1 AGE-SECRET-KEY-1X\n", { mode: 0o600 });
  await assert.rejects(openKeys({ ...older, nodes: ["n1"] }), { code: "PKI_INVALID", where: older.folder });
});
