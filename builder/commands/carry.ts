/** `split`, `join`: what happens to a bundle between its build and the gap. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#cli/errors";
import { example } from "#cli/help";
import { withJson } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";

interface Flags {
  readonly json?: boolean;
  readonly size: string;
  readonly output: string;
  readonly base?: string;
  readonly force?: boolean;
}

export function addCarryCommands(program: Command, surroundings: Surroundings): void {
  const command = (usage: string, description: string): Command =>
    withJson(program.command(usage)).description(description);
  const path = (given: string): string => resolve(surroundings.workingDirectory, given);

  command("split <bundle>", "Cut a bundle into parts for small media, each with a digest of its own")
    .addHelpText("after", example("kubeferry split plant-7.tar --size 4GB -o /media/stick"))
    .requiredOption("--size <bytes>", "of a part at most: 4000000000, 4GB, 700MiB")
    .option("-o, --output <dir>", "where the parts go", ".")
    .action(async (bundle: string, flags: Flags) => {
      const { requireTar, splitBundle } = await import("../pack/parts.ts");
      requireTar(path(bundle));
      const { list, parts } = await splitBundle(path(bundle), bytesOf(flags.size), path(flags.output));
      const reporter = reporterFor(surroundings, flags);
      reporter.record("split", { list, parts });
      for (const part of parts) reporter.info(part);
      reporter.info(`${list}: carry it with every part; then kubeferry join ${list} PART… -o BUNDLE.tar`);
    });

  command(
    "join <parts...>",
    "Put parts together again, a delta and its base, or an OCI layout; names the part that is bad",
  )
    .addHelpText(
      "after",
      example(
        "kubeferry join plant-7.tar.parts -o plant-7.tar",
        "kubeferry join plant-7.tar.delta --base plant-7-old.tar -o plant-7.tar",
        "kubeferry join plant-7-oci -o plant-7.tar",
      ),
    )
    .requiredOption("-o, --output <file>", "the bundle")
    .option("--force", "overwrite the file of -o")
    .option("--base <old.tar>", "the parts are one delta, made by `build --base` of this bundle")
    .action(async (parts: string[], flags: Flags) => {
      const output = path(flags.output);
      const [delta = ""] = parts;
      const { refuseOutput } = await import("../pack/output.ts");
      await refuseOutput(
        output,
        [...parts.map(path), ...(flags.base === undefined ? [] : [path(flags.base)])],
        flags.force ?? false,
      );
      const { isLayout, joinLayout } = await import("../pack/layout.ts");
      if (flags.base === undefined && parts.length === 1 && isLayout(path(delta))) {
        await joinLayout(path(delta), output);
      } else if (flags.base !== undefined) {
        const { applyDelta } = await import("../pack/delta.ts");
        await applyDelta(path(delta), path(flags.base), output);
      } else {
        const { joinParts } = await import("../pack/parts.ts");
        await joinParts(parts.map(path), output);
      }
      const reporter = reporterFor(surroundings, flags);
      reporter.record("joined", { output });
      reporter.info(`${output}: whole; next: kubeferry verify ${flags.output}`);
    });
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** `700MiB`, `4GB`, `123`. USAGE for anything else. */
export function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMG]i?|)B?$/.exec(text);
  const unit = units[match?.[2] ?? "?"];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (bytes > 0) return bytes;
  throw new ExpectedError("USAGE", `cannot read the size ${text}`, {
    hint: "--size 4GB, --size 700MiB, --size 4000000000",
  });
}
