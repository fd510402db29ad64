import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openKeys } from "../../../builder/pack/keys.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-keys-"));
after(() => rmSync(root, { recursive: true, force: true }));

function place(): { file: string; pki: string; folder: string } {
  const folder = mkdtempSync(join(root, "x-"));
  return { file: join(folder, "plant.keys"), pki: join(folder, "plant.pki"), folder };
}

test("keys are made once with mode 0600 and reused", async () => {
  const { folder, ...where } = place();
  const first = await openKeys({ ...where, nodes: ["n1", "n2"] });
  const text = readFileSync(where.file, "utf8");
  assert.match(text, /^n1 AGE-SECRET-KEY-1[A-Z0-9]+\nn2 AGE-SECRET-KEY-1[A-Z0-9]+\n$/);
  assert.equal(lstatSync(where.file).mode & 0o777, 0o600);
  assert.equal(lstatSync(join(where.pki, "operator.key")).mode & 0o777, 0o600);
  assert.deepEqual(await openKeys({ ...where, nodes: ["n1", "n2"] }), first);
  assert.equal(readFileSync(where.file, "utf8"), text);
  assert.deepEqual(readdirSync(folder).toSorted(), ["plant.keys", "plant.pki"]);
});

test("a new node is appended and no older line changes", async () => {
  const { folder: _, ...where } = place();
  await openKeys({ ...where, nodes: ["n1"] });
  const before = readFileSync(where.file, "utf8").trimEnd();
  // An editor that took the last line feed away.
  writeFileSync(where.file, before);
  await openKeys({ ...where, nodes: ["n0", "n1"] });
  const after = readFileSync(where.file, "utf8");
  assert.ok(after.startsWith(`${before}\nn0 AGE-SECRET-KEY-1`));
  assert.equal(after.trimEnd().split("\n").length, 2);
});

test("a public recipient of the operator is used and no operator key is made", async () => {
  const { folder, ...where } = place();
  const keys = await openKeys({ ...where, nodes: ["n1"], operator: "age1operator" });
  assert.equal(keys.operator, "age1operator");
  assert.deepEqual(readdirSync(folder), ["plant.keys"]);
});

test("a keys file that others may read is refused, and so is a line that is no key", async () => {
  const { folder: _, ...where } = place();
  await openKeys({ ...where, nodes: ["n1"] });
  chmodSync(where.file, 0o644);
  await assert.rejects(openKeys({ ...where, nodes: ["n1"] }), { code: "PKI_INVALID" });
  chmodSync(where.file, 0o600);
  writeFileSync(where.file, "n1 hunter2\n");
  await assert.rejects(openKeys({ ...where, nodes: ["n1"] }), { code: "KEY_WRONG" });
});
