/** Every code and every check that a program can name is explained, and nothing is explained that there is not. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkExplanations } from "../../../installer/cli/explain/checks.ts";
import { codeExplanations } from "../../../installer/cli/explain/codes.ts";
import { explain } from "../../../installer/cli/explain/explain.ts";
import { isExpected } from "#cli/errors";

const root = join(import.meta.dirname, "../../..");
const read = (pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .filter((path) => !path.startsWith("installer/cli/"))
    .map((path) => readFileSync(join(root, path), "utf8"));
const installer = read("installer/**/*.ts");
const sources = [...installer, ...read("builder/**/*.ts")];

/** As findings are written: `error("swap", …)`, `check: "swap"`, `drift("extra", …)`, `step("etcd-skew", …)`, `const check = "pod"`. */
const named = new Set(
  installer.flatMap((text) =>
    [...text.matchAll(/\b(?:check(?:: | = )|(?:ok|warning|error|drift|step)\(\s*)"([a-z-]+)"/g)].map(
      ([, name]) => name ?? "",
    ),
  ),
);

test("every check that the sources name is explained, and no other", () => {
  assert.ok(named.size > 45, "the sources name checks in the forms that are looked for");
  assert.deepEqual([...named].toSorted(), Object.keys(checkExplanations).toSorted());
});

test("every code that is explained can come about", () => {
  const never = Object.keys(codeExplanations).filter((code) => !sources.some((text) => text.includes(`"${code}"`)));
  // This comes from the programs' frame, which is in installer/cli itself.
  assert.deepEqual(never, ["LIMIT_REACHED"]);
});

test("a name is taken as people type it; one that there is not is told, and without a name all are listed", () => {
  assert.match(explain("digest-mismatch"), /^DIGEST_MISMATCH \(exit code 5\)\n\nBytes are not/);
  assert.match(explain("Swap"), /^swap \(check\)\n\nSwap is off/);
  assert.throws(
    () => explain("toString"),
    (error) => isExpected(error, "USAGE") && error.message.includes("toString"),
  );
  for (const name of [...Object.keys(codeExplanations), ...Object.keys(checkExplanations)]) {
    assert.ok(explain(undefined).includes(`  ${name} `), name);
  }
});

test("each explanation is whole sentences, with a cause and a remedy", () => {
  for (const [name, { meaning, causes, remedies }] of Object.entries({ ...codeExplanations, ...checkExplanations })) {
    assert.match(meaning, /^(etcd|systemd|cluster\.yaml|[A-Z]).*\.$/s, name);
    assert.ok(causes.length > 0 && remedies.length > 0, name);
  }
});
