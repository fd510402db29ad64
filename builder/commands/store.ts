/** `store list|verify|gc`: the folder in which everything fetched is kept. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { example } from "#cli/help";
import { withJson } from "#cli/options";
import { Exit, reporterFor, type Surroundings } from "#cli/run";
import type { Store } from "../store/store.ts";
import { storeFolder } from "./network.ts";

interface Flags {
  readonly cache?: string;
  readonly json?: boolean;
  readonly repair?: boolean;
  readonly olderThan: string;
}

export function addStoreCommands(program: Command, surroundings: Surroundings): void {
  const group = program.command("store").description("Look after the folder in which everything fetched is kept");
  const command = (name: string, description: string): Command =>
    withJson(group.command(name).option("--cache <dir>", "the store (default: ~/.cache/kubeferry)")).description(
      description,
    );
  const open = async ({ cache }: Flags): Promise<Store> => {
    const { Store } = await import("../store/store.ts");
    const { environment, workingDirectory } = surroundings;
    return Store.openExisting(cache === undefined ? storeFolder(environment) : resolve(workingDirectory, cache));
  };

  command("list", "every content, its size, and when it was last used")
    .addHelpText("after", example("kubeferry store list"))
    .action(async (flags: Flags) => {
      const { listStore } = await import("../store/upkeep.ts");
      const reporter = reporterFor(surroundings, flags);
      const contents = listStore(await open(flags));
      for (const { digest, size, used } of contents) {
        reporter.record("content", { digest, size, used });
        reporter.info(`${digest}  ${formatBytes(size).padStart(9)}  ${used.toISOString().slice(0, 10)}`);
      }
      reporter.info(`${contents.length} contents, ${formatBytes(contents.reduce((sum, { size }) => sum + size, 0))}`);
    });

  command("verify", "hash every content again; exit 5 for one that is not what its name says")
    .addHelpText("after", example("kubeferry store verify --repair"))
    .option("--repair", "take damaged contents away, so that the next build fetches them again")
    .action(async (flags: Flags) => {
      const { verifyStore } = await import("../store/upkeep.ts");
      const reporter = reporterFor(surroundings, flags);
      const onContent = (done: number, total: number): void => reporter.progress("verify", done, total, "items");
      const problems = await verifyStore(await open(flags), { repair: flags.repair ?? false, onContent });
      for (const problem of problems) reporter.error(problem);
      reporter.record("checked", { damaged: problems.length });
      if (problems.length > 0 && flags.repair !== true) throw new Exit(5);
      reporter.info(problems.length === 0 ? "every content is what its name says" : "the damaged ones are taken away");
    });

  command("gc", "take away what no build has used lately, and what interrupted ones left")
    .addHelpText("after", example("kubeferry store gc --older-than 60"))
    .option("--older-than <days>", "not used for so long", "30")
    .action(async (flags: Flags) => {
      const { collectGarbage } = await import("../store/upkeep.ts");
      const olderThanMs = Number(flags.olderThan) * 86_400_000;
      if (!(olderThanMs >= 0))
        throw new ExpectedError("USAGE", `cannot read --older-than ${flags.olderThan}`, { hint: "--older-than 30" });
      const reporter = reporterFor(surroundings, flags);
      const collected = await collectGarbage(await open(flags), { olderThanMs, now: new Date() });
      reporter.record("collected", { ...collected });
      reporter.info(
        `${collected.removed} taken away, ${formatBytes(collected.bytes)} free again, ${collected.kept} kept`,
      );
    });
}
