/** Every bad cluster.yaml beside this file fails with exactly the code and the placed problems of its .json. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { parseCluster } from "../../../builder/config/load.ts";

interface Expected {
  readonly code: string;
  /** `line:column` (empty where the problem has no place) and a part of the message, in any order. */
  readonly problems: readonly { readonly at: string; readonly says: string }[];
}

const vectors = readdirSync(import.meta.dirname).flatMap((name) => /^(.*)\.yaml$/.exec(name)?.[1] ?? []);

test("there are at least fifteen vectors", () => {
  assert.ok(vectors.length >= 15);
});

for (const name of vectors) {
  test(`${name}.yaml is refused, each of its problems at its place`, async () => {
    const text = readFileSync(join(import.meta.dirname, `${name}.yaml`), "utf8");
    const expected = JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), "utf8")) as Expected;
    const error = await parseCluster("cluster.yaml", text).then(
      () => assert.fail("it was accepted"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isExpected(error), String(error));
    assert.equal(error.code, expected.code, error.message);
    const lines = error.message.includes("\n") ? error.message.split("\n").slice(1) : [error.message];
    for (const { at, says } of expected.problems) {
      const prefix = at === "" ? "" : `cluster.yaml:${at}: `;
      assert.ok(
        lines.some((line) => line.trim().startsWith(prefix) && line.includes(says)),
        `no line at ${at} says ${says}:\n${error.message}`,
      );
    }
    assert.equal(lines.length, expected.problems.length, error.message);
  });
}
