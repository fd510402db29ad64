/** What the command lines say of themselves, as plain data: docs/cli.md and the man pages are made of it. */
import type { Command, Option } from "commander";
import { paragraphsOf } from "#cli/help";
import { english, type Language } from "#cli/language/language";

export interface CommandText {
  /** All its words: `kubeferry store gc`. */
  readonly name: string;
  /** What may follow them: `[options] <cluster.yaml>`. */
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly TermText[];
  readonly options: readonly TermText[];
  /** What its help shows last, line by line: examples, indented. */
  readonly closing: readonly string[];
  readonly commands: readonly CommandText[];
}

export interface TermText {
  readonly term: string;
  readonly text: string;
}

export function commandText(command: Command, name: string, language: Language = english): CommandText {
  const { say } = language;
  return {
    name,
    usage: command.usage(),
    description: say(command.description()),
    arguments: command.registeredArguments
      .filter((argument) => argument.description !== "")
      .map((argument) => ({ term: argument.name(), text: say(argument.description) })),
    options: command.options.filter((option) => !option.hidden).map((option) => optionText(option, language)),
    closing: closingIn(command, language),
    commands: command.commands
      .filter((inner) => inner.name() !== "help")
      .map((inner) => commandText(inner, `${name} ${inner.name()}`, language)),
  };
}

function optionText(option: Option, { say }: Language): TermText {
  const preset =
    option.defaultValueDescription ?? (option.defaultValue === undefined ? "" : JSON.stringify(option.defaultValue));
  const choices = option.argChoices === undefined ? "" : say(` One of ${option.argChoices.join(", ")}.`);
  const shown = preset === "" || preset === "false" ? "" : say(` Default: ${preset.replaceAll('"', "")}.`);
  const description = say(option.description);
  const end = choices === "" ? "" : say(".");
  return { term: option.flags, text: `${description}${end}${choices}${shown}` };
}

/** In English as it is broken into lines, in another language a paragraph a line. */
function closingIn(command: Command, language: Language): readonly string[] {
  const closing = closingOf(command);
  return language === english || closing.length === 0 ? closing : paragraphsOf(closing.join("\n")).map(language.say);
}

/** What its help shows after everything else, line by line. */
export function closingOf(command: Command): string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text.slice(command.helpInformation().length).trimEnd().split("\n").slice(1);
}
