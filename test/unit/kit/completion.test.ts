/** Completion as a real bash does it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { Command } from "commander";
import { completionScript } from "#kit/completion";

const program = new Command("ferry").option("--verbose");
program.command("build <file>").option("--offline");
program.command("store").command("gc").option("--older-than <days>");

function complete(...words: string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(" ");
  const line = `COMP_WORDS=(ferry ${typed}); COMP_CWORD=${words.length}; _ferry; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = `${completionScript(program, "bash")}\n${line}`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8", cwd: import.meta.dirname })
    .trim()
    .split("\n");
}

test("bash completes commands, subcommands, and the options of the command that was typed", () => {
  assert.deepEqual(complete("bu"), ["build"]);
  assert.deepEqual(complete("store", "g"), ["gc"]);
  assert.deepEqual(complete("build", "x.yaml", "--o"), ["--offline"]);
  assert.deepEqual(complete("store", "gc", "--ol"), ["--older-than"]);
  assert.deepEqual(complete("--v"), ["--verbose"]);
});

test("the scripts of zsh and fish name every command", () => {
  for (const shell of ["zsh", "fish"] as const)
    assert.match(completionScript(program, shell), /build[\s\S]*store[\s\S]*gc/);
});
