/** Shell completion made from a commander program: static text, so that a tab never starts the program. */
import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export interface CompletionOptions {
  /** Name of the shell's function; also what is typed, unless `typed` says otherwise. */
  readonly name: string;
  /** What is typed for the program: `./install` must not be taken for coreutils' install. */
  readonly typed?: readonly string[];
  /** The command that is run where none is named: its options come first, too. */
  readonly preset?: string;
}

interface Words {
  /** Commands before it: `[]`, `["store"]`. */
  readonly path: readonly string[];
  readonly words: readonly string[];
  readonly children: readonly string[];
}

/** The script for one shell: `kubeferry completion bash > /etc/bash_completion.d/kubeferry`. */
export function completionScript(program: Command, shell: Shell, options: CompletionOptions): string {
  const table = wordsOf(program, [], options.preset);
  const typed = options.typed ?? [options.name];
  switch (shell) {
    case "bash":
      return bash(options.name, typed, table);
    case "zsh":
      return zsh(options.name, typed, table);
    case "fish":
      return fish(typed, table);
  }
}

/** Subcommands, long options and words to choose from, of every command. */
function wordsOf(command: Command, path: readonly string[], preset?: string): Words[] {
  const children = command.commands.filter((child) => child.name() !== "help");
  const first = children.find((child) => child.name() === preset);
  const options = [...command.options, ...(first?.options ?? [])].flatMap(({ long }) => long ?? []);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const names = children.map((child) => child.name());
  const words = [...new Set([...names, ...choices, ...options, "--help"])];
  return [{ path, words, children: names }, ...children.flatMap((child) => wordsOf(child, [...path, child.name()]))];
}

/** `case` arms that follow the commands on the line: `"store gc") at="store gc" ;;`. Their variable is not called path: zsh's is. */
function steps(table: readonly Words[], indent: string): string {
  return table
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `${indent}"${path.slice(0, -1).join(" ")} ${path.at(-1)}") at="${path.join(" ")}" ;;`)
    .join("\n");
}

/** Over the words typed so far to the command they name, then its case. */
function walk(typed: string, table: readonly Words[], cases: readonly string[]): string {
  return `  for word in "${typed}"; do
    case "$at $word" in
${steps(table, "      ")}
    esac
  done
  case "$at" in
${cases.join("\n")}
  esac`;
}

function bash(name: string, typed: readonly string[], table: readonly Words[]): string {
  const cases = table.map(({ path, words }) => `    "${path.join(" ")}") words="${words.join(" ")}" ;;`);
  return `_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} at="" word words=""
${walk("${COMP_WORDS[@]:1:COMP_CWORD-1}", table, cases)}
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _${name} ${typed.join(" ")}
`;
}

/** Works as a file `_NAME` of fpath, and sourced after compinit. */
function zsh(name: string, typed: readonly string[], table: readonly Words[]): string {
  const cases = table.map(({ path, words }) => `    "${path.join(" ")}") candidates=(${words.join(" ")}) ;;`);
  const plain = typed.filter((command) => !command.startsWith("."));
  // zsh looks for what is typed as ./install under the whole path, $PWD/./install.
  const patterns = typed.filter((command) => command.startsWith(".")).map((command) => `*/${command}`);
  return `#compdef ${[...plain, ...(patterns.length === 0 ? [] : ["-p", ...patterns])].join(" ")}
_${name}() {
  local at="" word
  local -a candidates
${walk("${(@)words[2,CURRENT-1]}", table, cases)}
  compadd -- "\${candidates[@]}"
  [[ "$words[CURRENT]" == -* ]] || _files
}
if [[ "$funcstack[1]" == "_${name}" ]]; then _${name} "$@"; else compdef _${name} ${[...plain, ...(patterns.length === 0 ? [] : ["-p", ...patterns.map((one) => `'${one}'`)])].join(" ")}; fi
`;
}

function fish(typed: readonly string[], table: readonly Words[]): string {
  const base = (command: string): string => command.slice(command.lastIndexOf("/") + 1);
  const lines = typed.flatMap((command) =>
    table.flatMap(({ path, words, children }) => {
      const conditions = [
        // fish knows a program by its last name only.
        ...(command === base(command) ? [] : [`test (commandline -opc)[1] = ${command}`]),
        ...path.map((word) => `__fish_seen_subcommand_from ${word}`),
        ...(children.length === 0 ? [] : [`not __fish_seen_subcommand_from ${children.join(" ")}`]),
      ];
      const seen = conditions.length === 0 ? "" : ` -n "${conditions.join("; and ")}"`;
      return words.map((word) =>
        word.startsWith("--")
          ? `complete -c ${base(command)}${seen} -l ${word.slice(2)}`
          : `complete -c ${base(command)}${seen} -a ${word}`,
      );
    }),
  );
  return `${lines.join("\n")}\n`;
}
