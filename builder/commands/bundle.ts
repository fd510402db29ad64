/** `verify`, `inspect`, `diff`: what a bundle can be asked. */
import type { Command } from "commander";
import { openBundle, problemError, verifyBundle } from "#bundle";
import { Exit, reporterFor, type Surroundings } from "#kit/run";
import { diffBundles, differenceLine } from "../diff.ts";
import { inspect } from "../inspect.ts";

interface Flags {
  readonly json?: boolean;
  readonly files?: boolean;
  readonly node?: string;
  readonly publicKey?: string;
}

export function addBundleCommands(program: Command, surroundings: Surroundings): void {
  const command = (usage: string, description: string): Command =>
    program
      .command(usage)
      .description(description)
      .option("--json", "one JSON object a line on stdout, people's text on stderr");

  command(
    "verify <bundle>",
    "Check every byte of a bundle, a .tar or its unpacked folder, with the node's own code",
  ).action(async (where: string, flags: Flags) => {
    const reporter = reporterFor(surroundings, flags);
    const bundle = await openBundle(where);
    const problems = await verifyBundle(bundle, { reporter });
    for (const problem of problems) reporter.error(problemError(problem, where));
    const [first] = problems;
    if (first !== undefined) throw new Exit(problemError(first, where).exitCode);
    reporter.record("verified", { where, payloadDigest: bundle.payloadDigest, members: bundle.sums.size + 1 });
    reporter.info(
      `${where}: all ${bundle.sums.size + 1} members are what they should be\npayload ${bundle.payloadDigest}`,
    );
  });

  command("inspect <bundle>", "Show what is in a bundle, for whom, and where each file came from")
    .option("--files", "every file with its mode, owner, digest and origin")
    .option("--node <name>", "one node's files")
    .action(async (where: string, flags: Flags) => {
      const reporter = reporterFor(surroundings, flags);
      inspect(await openBundle(where), { files: flags.files ?? false, node: flags.node, reporter });
    });

  command("diff <old> <new>", "Show what changes from one bundle to another").action(
    async (from: string, to: string, flags: Flags) => {
      const reporter = reporterFor(surroundings, flags);
      const differences = diffBundles((await openBundle(from)).index, (await openBundle(to)).index);
      for (const difference of differences) {
        reporter.record("difference", { ...difference });
        reporter.info(differenceLine(difference));
      }
      if (differences.length === 0) reporter.info("no difference in what is installed");
    },
  );
}
