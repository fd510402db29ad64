/** `releases`: what can be carried; `plan-upgrade`: the road from one to another. */
import type { Command } from "commander";
import { reporterFor, type Surroundings } from "#cli/run";

export function addReleaseCommands(program: Command, surroundings: Surroundings): void {
  program
    .command("releases")
    .description("List the releases that can be carried: components, versions, platforms, what is pinned by whom")
    .option("--json", "one JSON object a line on stdout, human-readable output on stderr")
    .action(async (flags: { json?: boolean }) => {
      const { describeRelease, releaseSummaries } = await import("../config/release-list.ts");
      const reporter = reporterFor(surroundings, flags);
      for (const release of await releaseSummaries()) {
        reporter.record("release", { ...release });
        for (const line of describeRelease(release)) reporter.info(line);
      }
    });
  program
    .command("plan-upgrade")
    .description("List the steps from one minor of Kubernetes to a later one: a release each, and what each needs")
    .requiredOption("--from <minor>", "the cluster's own, 1.16")
    .requiredOption("--to <minor>", "where it is to go, 1.36")
    .option("--json", "one JSON object a line on stdout, human-readable output on stderr")
    .action(async (flags: { from: string; to: string; json?: boolean }) => {
      const { describeStep, road } = await import("../config/road.ts");
      const reporter = reporterFor(surroundings, flags);
      for (const step of await road(flags.from, flags.to)) {
        reporter.record("step", { ...step });
        for (const line of describeStep(step)) reporter.info(line);
      }
    });
}
