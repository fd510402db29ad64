import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeyFile } from "#bundle";

const one = `AGE-SECRET-KEY-1${"Q".repeat(58)}`;
const two = `AGE-SECRET-KEY-1${"P".repeat(58)}`;

test("a keys file gives the line of the node", () => {
  assert.equal(parseKeyFile(`# keys\nn1 ${one}\n\nn2 ${two}\r\n`, "n2"), two);
});

test("a file with one key, as age-keygen writes it, gives that key to any node", () => {
  assert.equal(parseKeyFile(`# created: today\n# public key: age1x\n${one}\n`, "n7"), one);
  assert.equal(parseKeyFile(one, "n7"), one);
});

test("a keys file without the node names those it has, and shows no key", () => {
  assert.throws(
    () => parseKeyFile(`n1 ${one}\nn2 ${two}\n`, "n3"),
    (error: Error & { code?: string; found?: string }) => {
      assert.equal(error.code, "KEY_MISSING");
      assert.equal(error.found, "keys for n1, n2");
      assert.doesNotMatch(JSON.stringify(error) + error.message, /SECRET-KEY-1[QP]/);
      return true;
    },
  );
});

test("two lone keys are no answer, and neither is anything else", () => {
  assert.throws(() => parseKeyFile(`${one}\n${two}\n`, "n1"), { code: "KEY_MISSING" });
  assert.throws(() => parseKeyFile("", "n1"), { code: "KEY_MISSING" });
  assert.throws(() => parseKeyFile("hunter2", "n1"), { code: "KEY_WRONG" });
  assert.throws(() => parseKeyFile(`n1 ${one} more`, "n1"), { code: "KEY_WRONG" });
});
