/** `explain NAME`: an error code or a check in words, for an operator who has no manual at hand. */
import { type ErrorCode, ExpectedError, exitCodeOf } from "../errors.ts";
import { english, type Language, named } from "../language/language.ts";
import { checkExplanations } from "./checks.ts";
import { codeExplanations } from "./codes.ts";
import type { Explanation } from "./explanation.ts";

/** The text of one name, or the list of all where none is given. Throws USAGE for a name that there is not. */
export function explain(name: string | undefined, language: Language = english): string {
  const { say } = language;
  if (name === undefined) return list(language);
  const code = name.toUpperCase().replaceAll("-", "_");
  if (isCode(code)) {
    const title = named(code, language) + say(` (exit code ${exitCodeOf(code)})`);
    return text(title, codeExplanations[code], language);
  }
  const check = name.toLowerCase();
  const found = checkExplanations[check];
  if (found !== undefined) return text(check + say(" (check)"), found, language);
  throw new ExpectedError("USAGE", `there is no error code or check ${name}`, {
    found: name,
    hint: "give it without a name: it lists them all; health checks of a bundle are shown by ./install status",
  });
}

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(codeExplanations, name);
}

function text(title: string, { meaning, causes, remedies }: Explanation, { say }: Language): string {
  const lines = (heading: string, items: readonly string[]): string =>
    `${say(heading)}\n${items.map((item) => `  - ${say(item)}\n`).join("")}`;
  return `${title}\n\n${say(meaning)}\n\n${lines("Usual causes:", causes)}\n${lines("What to do:", remedies)}`;
}

function list({ say }: Language): string {
  const rows = (table: Readonly<Record<string, Explanation>>): string => {
    const width = Math.max(...Object.keys(table).map(({ length }) => length));
    return Object.entries(table)
      .map(([name, { meaning }]) => `  ${name.padEnd(width)}  ${say(meaning)}\n`)
      .join("");
  };
  return `${say("Error codes:")}\n${rows(codeExplanations)}\n${say("Checks:")}\n${rows(checkExplanations)}`;
}
