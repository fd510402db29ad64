/** Shell completion made from a commander program: static text, so that a tab never starts the program. */
import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

interface Words {
  /** Commands before it: `[]`, `["store"]`. */
  readonly path: readonly string[];
  readonly words: readonly string[];
}

/** The script for one shell: `kubeferry completion bash > /etc/bash_completion.d/kubeferry`. */
export function completionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const table = wordsOf(program, []);
  if (shell === "fish") return fish(name, table);
  const bash = bashScript(name, table);
  return shell === "zsh" ? `#compdef ${name}\nautoload -U +X bashcompinit && bashcompinit\n${bash}` : bash;
}

/** Subcommands and long options of every command. */
function wordsOf(command: Command, path: readonly string[]): Words[] {
  const children = command.commands.filter((child) => child.name() !== "help");
  const options = command.options.map((option) => option.long).filter((long) => long !== null && long !== undefined);
  const words = [...children.map((child) => child.name()), ...options, "--help"];
  return [
    { path, words: [...new Set(words)] },
    ...children.flatMap((child) => wordsOf(child, [...path, child.name()])),
  ];
}

function bashScript(name: string, table: readonly Words[]): string {
  const cases = table.map(({ path, words }) => `    "${path.join(" ")}") words="${words.join(" ")}" ;;`);
  return `_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${table
  .filter(({ path }) => path.length > 0)
  .map(({ path }) => `      "${path.slice(0, -1).join(" ")} ${path.at(-1)}") path="${path.join(" ")}" ;;`)
  .join("\n")}
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _${name} ${name}
`;
}

function fish(name: string, table: readonly Words[]): string {
  const lines = table.flatMap(({ path, words }) => {
    const seen =
      path.length === 0
        ? "__fish_use_subcommand"
        : path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    return words.map((word) =>
      word.startsWith("--")
        ? `complete -c ${name} -n "${seen}" -l ${word.slice(2)}`
        : `complete -c ${name} -n "${seen}" -a ${word}`,
    );
  });
  return `${lines.join("\n")}\n`;
}
