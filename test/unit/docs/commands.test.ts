/** Every command that a page, a hint or an explanation tells people to type is one that the programs take. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { commandLines } from "../../../scripts/generate/programs.ts";

const root = join(import.meta.dirname, "../../..");
const programs: Readonly<Record<string, Command>> = { ...commandLines() };

/** A command in a text: up to what cannot be part of it. */
const typed =
  /(?:^|[\s`"'(;/])(kubeferry|\.\/install)((?: +(?:--?)?[A-Za-z0-9][^\s`"',;:()#…，、。；：（）]*| +\[--[a-z-]+)+)/gm;

interface Typed {
  readonly where: string;
  readonly program: string;
  readonly words: readonly string[];
}

function typedIn(path: string): Typed[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(typed)].map(([, program = "", words = ""]) => ({
    where: `${path}: ${program}${words}`,
    program,
    words: words.trim().split(/ +/),
  }));
}

/** What is wrong with it; null: nothing, or it is a sentence and no command. */
function problemOf({ program, words }: Typed): string | null {
  let command = programs[program];
  let rest = words;
  for (;;) {
    const next: Command | undefined = command?.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  // `./install` without a word of its own is apply.
  if (command === programs["./install"]) command = command?.commands.find((one) => one.name() === "apply");
  const known = new Set(command?.options.flatMap(({ long, short }) => [long, short]));
  known.add("--help").add("--version");
  const unknown = rest
    .map((word) => /^\[?(--[a-z][a-z-]*)/.exec(word)?.[1])
    .find((option) => option !== undefined && !known.has(option));
  return unknown === undefined ? null : `${command?.name()} has no ${unknown}`;
}

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync("docs/*.md", { cwd: root })];
const sources = globSync("{builder,installer}/**/*.ts", { cwd: root });

for (const [what, paths, least] of [
  ["pages", pages, 40],
  ["the programs' own texts", sources, 40],
] as const) {
  test(`commands in ${what} have the options that they are shown with`, () => {
    const all = paths.flatMap(typedIn);
    assert.ok(all.length > least, `${all.length} commands were found`);
    const wrong = all.flatMap((one) => {
      const problem = problemOf(one);
      return problem === null ? [] : [`${one.where}: ${problem}`];
    });
    assert.deepEqual(wrong, []);
  });
}

test("a page's code blocks name commands that there are", () => {
  const lines = pages.flatMap((path) =>
    [
      ...readFileSync(join(root, path), "utf8").matchAll(
        /^(?: {4}|\$ )?(?:dist\/)?(kubeferry|\.\/install) ([a-z-]+)/gm,
      ),
    ].map(([, program = "", word = ""]) => ({ path, program, word })),
  );
  const wrong = lines.filter(
    ({ program, word }) => !word.startsWith("-") && !programs[program]?.commands.some((one) => one.name() === word),
  );
  assert.deepEqual(wrong, []);
});
