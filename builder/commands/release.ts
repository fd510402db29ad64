/** `releases`: what can be carried. */
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
}
