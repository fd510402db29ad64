/** `explain`: error codes and checks in words. */
import type { Command } from "commander";
import { explain } from "#cli/explain/explain";
import { example } from "#cli/help";
import type { Surroundings } from "#cli/run";

export function addExplainCommand(program: Command, { out, language }: Surroundings): void {
  program
    .command("explain")
    .description("what an error code or a check means, and what to do; without a name all are listed")
    .argument("[name]", "as the message shows it")
    .addHelpText("after", example("./install explain DIGEST_MISMATCH"))
    .action((name: string | undefined) => void out.write(explain(name, language)));
}
