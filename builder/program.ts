/** The command line of `kubeferry`: the stages of build.ts under their own words, and what a bundle can be asked. */
import { Command } from "commander";
import { example } from "#cli/help";
import type { Surroundings } from "#cli/run";
import { version } from "#cli/version";
import { addBuildCommands } from "./commands/build.ts";
import { addBundleCommands } from "./commands/bundle.ts";
import { addCarryCommands } from "./commands/carry.ts";
import { addExportCommands } from "./commands/export.ts";
import { addPushCommand } from "./commands/push.ts";
import { addPkiCommands } from "./commands/pki.ts";
import { addSignCommands } from "./commands/sign.ts";
import { addStoreCommands } from "./commands/store.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addInitCommand } from "./commands/init.ts";
import { addRegistryCommands } from "./commands/registry.ts";
import { addPlanUpgradeCommand } from "./commands/plan-upgrade.ts";
import { addReleaseCommands } from "./commands/release.ts";

export function builderProgram(surroundings: Surroundings): Command {
  const program = new Command("kubeferry")
    .description(
      "Carries a Kubernetes cluster across an air gap: one bundle, built and verified here, installed there.",
    )
    .version(version(), "-V, --version")
    .addHelpText("after", example("kubeferry init -o cluster.yaml && kubeferry build cluster.yaml -o plant-7.tar"));
  addInitCommand(program, surroundings);
  addReleaseCommands(program, surroundings);
  addPlanUpgradeCommand(program, surroundings);
  addBuildCommands(program, surroundings);
  addBundleCommands(program, surroundings);
  addCarryCommands(program, surroundings);
  addPushCommand(program, surroundings);
  addRegistryCommands(program, surroundings);
  addExportCommands(program, surroundings);
  addSignCommands(program, surroundings);
  addPkiCommands(program, surroundings);
  addStoreCommands(program, surroundings);
  addExplainCommand(program, surroundings);
  addCompletionCommand(program, surroundings);
  return program;
}
