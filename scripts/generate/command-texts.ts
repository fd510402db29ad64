/** What the command lines say of themselves, as plain data: docs/cli.md and the man pages are made of it. */
import type { Command, Option } from "commander";

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

export function commandText(command: Command, name: string): CommandText {
  return {
    name,
    usage: command.usage(),
    description: command.description(),
    arguments: command.registeredArguments
      .filter((argument) => argument.description !== "")
      .map((argument) => ({ term: argument.name(), text: argument.description })),
    options: command.options.filter((option) => !option.hidden).map(optionText),
    closing: closingOf(command),
    commands: command.commands
      .filter((inner) => inner.name() !== "help")
      .map((inner) => commandText(inner, `${name} ${inner.name()}`)),
  };
}

function optionText(option: Option): TermText {
  const preset =
    option.defaultValueDescription ?? (option.defaultValue === undefined ? "" : JSON.stringify(option.defaultValue));
  const choices = option.argChoices === undefined ? "" : ` One of ${option.argChoices.join(", ")}.`;
  const shown = preset === "" || preset === "false" ? "" : ` Default: ${preset.replaceAll('"', "")}.`;
  return { term: option.flags, text: `${option.description}${choices === "" ? "" : "."}${choices}${shown}` };
}

/** What its help shows after everything else, line by line. */
export function closingOf(command: Command): string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text.slice(command.helpInformation().length).trimEnd().split("\n").slice(1);
}
