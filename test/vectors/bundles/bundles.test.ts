import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type IntegrityProblem,
  digestOf,
  openBundle,
  parseKeyFile,
  parsePublicKey,
  trustIn,
  verifyBundle,
} from "#bundle";
import { isExpected } from "#cli/errors";
import type { Expectation } from "../../builders/break-bundle.ts";
import { hostileBundles } from "../../builders/hostile-bundles.ts";

const folder = import.meta.dirname;
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<string, Expectation>;

/** Every finding about a bundle, whether it comes from opening or from verifying. */
async function findings(path: string): Promise<IntegrityProblem[]> {
  try {
    return await verifyBundle(await openBundle(path), { contents: true });
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [{ member: error.where ?? "", code: error.code, message: error.message }];
  }
}

for (const [name, { code, member }] of Object.entries(expected)) {
  test(`the hostile bundle ${name} is ${code} at ${member.replaceAll("\n", " ")}`, async () => {
    const problems = await findings(join(folder, "hostile", `${name}.tar`));
    const hit = problems.find((problem) => problem.code === code && problem.member.includes(member));
    assert.ok(hit !== undefined, `found only ${JSON.stringify(problems, null, 1)}`);
  });
}

test("every hostile bundle has its expectation, and there are at least twenty", () => {
  const names = readdirSync(join(folder, "hostile")).map((name) => name.replace(/\.tar$/, ""));
  assert.deepEqual(names.toSorted(), Object.keys(expected).toSorted());
  assert.ok(names.length >= 20);
});

test("the script writes the same hostile bundles again", async () => {
  for (const { name, bytes } of await hostileBundles()) {
    assert.equal(digestOf(readFileSync(join(folder, "hostile", `${name}.tar`))), digestOf(bytes), name);
  }
});

// One for each format version there was. Never written again: a reader that cannot open them breaks its promise.
test("the bundle of format 1 that was kept opens, verifies, and gives its secrets", async () => {
  const kept = join(folder, "format-1");
  const publicKey = parsePublicKey(readFileSync(join(kept, "sign.pub"), "utf8"));
  const bundle = await openBundle(join(kept, "bundle.tar"), [trustIn([publicKey], 1, "sign.pub")]);
  assert.equal(bundle.payloadDigest, readFileSync(join(kept, "payload"), "utf8").trim());
  assert.deepEqual(await verifyBundle(bundle, { contents: true }), []);
  const identity = parseKeyFile(readFileSync(join(kept, "sample.keys"), "utf8"), "n1");
  const secrets = await bundle.secrets("n1", identity);
  assert.deepEqual([...secrets.keys()], ["/etc/etcd/pki/server.key"]);
});
