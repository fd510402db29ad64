import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { partialOf, replaceFile, writeBeside, writeNew } from "#bundle";

const all = mkdtempSync(join(tmpdir(), "kubeferry-durable-"));
const folder = (): string => mkdtempSync(join(all, "one-"));
after(() => rmSync(all, { recursive: true }));
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("a file has its mode from the first byte and its name at the end, whatever a killed run left", async () => {
  const dir = folder();
  const path = join(dir, "node.key");
  writeFileSync(partialOf(path), "torn", { mode: 0o644 });
  const pieces = function* (): Generator<Buffer> {
    const buffer = Buffer.alloc(4);
    yield Buffer.from(buffer.fill("a"));
    assert.equal(modeOf(partialOf(path)), 0o600);
    assert.deepEqual(readdirSync(dir), ["node.key.partial"]);
    yield buffer.fill("b");
    yield buffer.fill("c");
  };
  await replaceFile(path, pieces(), 0o600, partialOf(path));
  assert.equal(readFileSync(path, "utf8"), "aaaabbbbcccc");
  assert.deepEqual([readdirSync(dir), modeOf(path)], [["node.key"], 0o600]);
});

test("on a failure nothing new is left, and what had the name keeps it", async () => {
  const dir = folder();
  const path = join(dir, "cluster.lock");
  writeFileSync(path, "before");
  const fails = function* (): Generator<string> {
    yield "half";
    throw new Error("cut");
  };
  await assert.rejects(replaceFile(path, fails(), 0o644), /cut/);
  await assert.rejects(
    writeBeside(path, async (beside) => {
      await writeNew(beside, "whole", 0o644);
      throw new Error("refused");
    }),
    /refused/,
  );
  await assert.rejects(writeNew(join(dir, "new"), fails(), 0o644), /cut/);
  assert.deepEqual([readdirSync(dir), readFileSync(path, "utf8")], [["cluster.lock"], "before"]);
});

test("a new file takes nobody's place", async () => {
  const path = join(folder(), "release.key");
  await writeNew(path, "first", 0o600);
  await assert.rejects(writeNew(path, "second", 0o600), { code: "EEXIST" });
  assert.equal(readFileSync(path, "utf8"), "first");
});
