/** The help of every command: within its terminal, however narrow, and with an example. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { eastAsianWidth } from "get-east-asian-width";
import { runInstall, runKubeferry } from "../../programs/command.ts";
import { commandLines } from "../../../scripts/generate/programs.ts";

interface Called {
  readonly run: typeof runKubeferry;
  readonly command: Command;
  readonly words: readonly string[];
}

function commandsBelow(command: Command, run: typeof runKubeferry, words: readonly string[] = []): Called[] {
  const inner = command.commands.filter((one) => one.name() !== "help");
  return [{ run, command, words }, ...inner.flatMap((one) => commandsBelow(one, run, [...words, one.name()]))];
}

const { kubeferry, "./install": install } = commandLines();
const all = [...commandsBelow(kubeferry, runKubeferry), ...commandsBelow(install, runInstall)];

test("every command shows an example of itself", async () => {
  assert.ok(all.length > 40);
  for (const { run, command, words } of all.filter((one) => one.command.commands.length === 0)) {
    const { out } = await run([...words, "--help"]);
    const shown =
      words[0] === "apply" ? /^ {2}\$ \.\/install --/m : new RegExp(`^  \\$ .*\\b${words.join(" ")}\\b`, "m");
    assert.match(out, shown, `${command.name()} has no example`);
  }
});

const columnsOf = (line: string): number =>
  Array.from(line).reduce((sum, one) => sum + eastAsianWidth(one.codePointAt(0) ?? 0), 0);

for (const LANG of ["C", "zh_CN.UTF-8"]) {
  test(`help is no wider than its terminal; command lines stay whole, to be copied (LANG=${LANG})`, async () => {
    for (const columns of [40, 80]) {
      for (const { run, words } of all) {
        const { out } = await run([...words, "--help"], { columns, environment: { LANG } });
        const prose = out.split("\n").filter((line) => !/^(Usage: |用法： | {2}\$ )/.test(line));
        assert.deepEqual(
          prose.filter((line) => columnsOf(line) > columns),
          [],
          `${words.join(" ")} at ${columns}`,
        );
        assert.equal(/\p{Script=Han}/u.test(out), LANG !== "C");
      }
    }
  });
}

test("a program is called in its help as it is typed", async () => {
  assert.match((await runInstall(["undo", "--help"])).out, /^Usage: \.\/install undo \[options\]$/m);
  assert.match((await runKubeferry(["store", "gc", "--help"])).out, /^Usage: kubeferry store gc \[options\]$/m);
});
