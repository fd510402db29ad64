/** `completion`: the script that a shell reads at its start. */
import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "#cli/completion";
import { example } from "#cli/help";
import type { Surroundings } from "#cli/run";

export function addCompletionCommand(program: Command, { out }: Surroundings): void {
  program
    .command("completion")
    .description("Print the completion script of a shell")
    .addArgument(new Argument("<shell>").choices(shells))
    .addHelpText(
      "after",
      example(
        "source <(kubeferry completion bash)",
        "source <(kubeferry completion zsh)   # after compinit",
        "kubeferry completion fish > ~/.config/fish/completions/kubeferry.fish",
      ),
    )
    .action((shell: Shell) => void out.write(completionScript(program, shell, { name: "kubeferry" })));
}
