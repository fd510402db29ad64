/** What people see of a hostile name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpectedError } from "#cli/errors";
import { createReporter } from "#cli/reporter";
test("what a terminal would obey is shown instead, and only our own colours stay", () => {
  const written: string[] = [];
  const to = { write: (text: string) => written.push(text) };
  const reporter = createReporter({ colour: true, out: to, err: to });
  const name = "x\x1b[2K\x1b[1A\rverified\x9b2J\u202e";
  reporter.error(new ExpectedError("PATH_ESCAPES", "is not clean", { where: `b.tar: ${name}\nverify     every byte` }));
  reporter.info(name);
  reporter.warn(name);
  reporter.stage("open", name);
  const shown = String.raw`x\x1b[2K\x1b[1A\x0dverified\x9b2J\u202e`;
  assert.deepEqual(written, [
    `\x1b[31merror\x1b[0m PATH_ESCAPES: is not clean\n   where: b.tar: ${shown}\n          verify     every byte\n`,
    `${shown}\n`,
    `\x1b[33mwarning:\x1b[0m ${shown}\n`,
    `\x1b[1mopen      \x1b[0m ${shown}\n`,
  ]);
});
