import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { checkParts, joinParts, splitBundle } from "../../../builder/pack/parts.ts";
import { binaryOf } from "../../builders/sample-cluster.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-parts-"));
after(() => rmSync(root, { recursive: true, force: true }));
const whole = binaryOf("parts", 3001);

function place(): { folder: string; file: string } {
  const folder = mkdtempSync(join(root, "x-"));
  const file = join(folder, "plant.tar");
  writeFileSync(file, whole);
  return { folder, file };
}

test("parts that were split join to the same bytes, from several sticks", async () => {
  const { folder, file } = place();
  const { parts, list } = await splitBundle(file, 1_000_000);
  assert.deepEqual(
    parts.map((path) => basename(path)),
    ["plant.tar.part-001", "plant.tar.part-002", "plant.tar.part-003", "plant.tar.part-004"],
  );
  const sticks = parts.map((path, at) => {
    const stick = join(folder, `stick-${at}`);
    mkdirSync(stick);
    copyFileSync(path, join(stick, basename(path)));
    if (at === 2) copyFileSync(list, join(stick, basename(list)));
    return join(stick, basename(path));
  });
  const out = join(folder, "joined.tar");
  assert.equal(await joinParts(sticks.toReversed(), out), digestOf(whole));
  assert.deepEqual(readFileSync(out), whole);
});

test("a damaged and a missing part are both named, and nothing is joined", async () => {
  const { folder, file } = place();
  const { parts } = await splitBundle(file, 1_000_000);
  const [first, second, , last] = parts;
  assert.ok(first !== undefined && second !== undefined && last !== undefined);
  const bytes = readFileSync(second);
  bytes[999] = (bytes[999] ?? 0) ^ 1;
  writeFileSync(second, bytes);
  const given = [first, second, last];
  const [third = ""] = parts.slice(2);
  rmSync(third);
  assert.deepEqual(
    checkParts(given).problems.map(({ member, code }) => `${code} ${member}`),
    ["DIGEST_MISMATCH plant.tar.part-002", "MEMBER_MISSING plant.tar.part-003"],
  );
  await assert.rejects(joinParts(given, join(folder, "joined.tar")), { code: "DIGEST_MISMATCH" });
  assert.equal(
    readdirSync(folder).some((name) => name.includes("joined")),
    false,
  );
});

test("parts without their list, or with two lists, are refused", async () => {
  const one = place();
  const { parts, list } = await splitBundle(one.file, 2_000_000);
  const two = place();
  const other = await splitBundle(two.file, 1_500_000);
  await assert.rejects(joinParts([...parts, ...other.parts], join(one.folder, "out")), { code: "FORMAT_INVALID" });
  writeFileSync(list, "0");
  await assert.rejects(joinParts(parts, join(one.folder, "out")), { code: "FORMAT_INVALID" });
  rmSync(list);
  await assert.rejects(joinParts(parts, join(one.folder, "out")), { code: "MEMBER_MISSING" });
});

test("splitting overwrites nothing, and takes back what it made", async () => {
  const { folder, file } = place();
  writeFileSync(join(folder, "plant.tar.part-002"), "mine");
  await assert.rejects(splitBundle(file, 1_000_000), { code: "USAGE" });
  assert.deepEqual(readdirSync(folder).toSorted(), ["plant.tar", "plant.tar.part-002"]);
  assert.equal(readFileSync(join(folder, "plant.tar.part-002"), "utf8"), "mine");
});

test("coreutils join what was split", async () => {
  const { folder, file } = place();
  await splitBundle(file, 1_000_000);
  rmSync(file);
  const line = "cat plant.tar.part-* > plant.tar && sha256sum -c --strict plant.tar.parts";
  execFileSync("sh", ["-c", line], { cwd: folder, stdio: "pipe" });
  assert.deepEqual(readFileSync(file), whole);
});

test("a split into a folder that is not there makes it, and the list alone stands for all parts beside it", async () => {
  const { folder, file } = place();
  const { list, parts } = await splitBundle(file, 1_000_000, join(folder, "new/folder"));
  assert.equal(parts.length, 4);
  assert.deepEqual(checkParts([list]), { problems: [], count: 4 });
  const [one = ""] = parts;
  assert.deepEqual(checkParts([one]), { problems: [], count: 4 });
  assert.equal(await joinParts([list], join(folder, "joined.tar")), digestOf(whole));
  await assert.rejects(splitBundle(join(folder, "nosuch.tar"), 1_000_000), { code: "USAGE" });
  await assert.rejects(splitBundle(file, 1_000_000, file), { code: "USAGE" });
});
