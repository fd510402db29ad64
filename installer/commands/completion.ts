/** `completion`: the script that a shell reads at its start. */
import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "#cli/completion";
import { example } from "#cli/help";
import type { Surroundings } from "#cli/run";

/** For what is typed in an unpacked bundle, and for the installer that is kept on the node. */
export function addCompletionCommand(program: Command, { out }: Surroundings): void {
  program
    .command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<shell>").choices(shells))
    .addHelpText("after", example("source <(./install completion bash)"))
    .action((shell: Shell) => {
      const typed = ["./install", "/var/lib/kubeferry/install"];
      out.write(completionScript(program, shell, { name: "kubeferry_install", typed, preset: "apply" }));
    });
}
