/** `completion`: the script that a shell reads at its start. */
import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "#kit/completion";
import type { Surroundings } from "#kit/run";

export function addCompletionCommand(program: Command, { out }: Surroundings): void {
  program
    .command("completion")
    .description("Print the completion script of a shell")
    .addArgument(new Argument("<shell>").choices(shells))
    .addHelpText("after", "\nExample:\n  $ source <(kubeferry completion bash)")
    .action((shell: Shell) => void out.write(completionScript(program, shell)));
}
