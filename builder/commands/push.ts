/** `push`: a bundle from a bastion inside the gap to many hosts, and `./install` on each, in order. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#cli/errors";
import { example } from "#cli/help";
import { collect, wholeNumber, withJson, withPublicKeys } from "#cli/options";
import type { Surroundings } from "#cli/run";

interface Flags {
  readonly hosts: string;
  readonly install?: boolean;
  readonly upgrade?: boolean;
  readonly audit?: boolean;
  readonly only?: string[];
  readonly dryRun?: boolean;
  readonly parallel: number;
  readonly keepGoing?: boolean;
  readonly publicKey?: string[];
  readonly require?: number;
  readonly json?: boolean;
}

export function addPushCommand(program: Command, surroundings: Surroundings): void {
  const command = withJson(program.command("push <bundle>"))
    .description(
      "From a bastion inside the gap: carry each host by ssh the parts that it lacks, and run ./install there",
    )
    .requiredOption("--hosts <hosts.yaml>", "which hosts, how ssh reaches them, and as whom")
    .option("--install", "then run ./install on each: etcd and masters one by one, then workers")
    .option("--upgrade", "then run ./install upgrade on each, in the same order")
    .option("--audit", "carry nothing, and run ./install audit on each")
    .option("--only <host>", "this host of the file alone (repeatable)", collect)
    .option("--parallel <number>", "hosts to carry to, and workers to change, at a time", wholeNumber(3, "hosts"), 4)
    .option("--keep-going", "after a worker on which ./install failed, go on with the others")
    .option("--dry-run", "connect and look: what each host lacks, and what ./install would do; changes nothing");
  withPublicKeys(command, "the bundle must be signed with it, here and on each host")
    .addHelpText("after", example("kubeferry push plant-7.tar --hosts hosts.yaml --install --dry-run"))
    .action(async (bundle: string, flags: Flags) => {
      const { push } = await import("../push/push.ts");
      const { givenTrust } = await import("#bundle");
      const { workingDirectory } = surroundings;
      const actions = (["install", "upgrade", "audit"] as const).filter((name) => flags[name] === true);
      if (actions.length > 1)
        throw new ExpectedError(
          "USAGE",
          `only one of ${actions.map((one) => `--${one}`).join(" and ")} can be done at once`,
          { where: "kubeferry push", hint: "kubeferry push plant-7.tar --hosts hosts.yaml --install" },
        );
      await push(
        {
          bundle: resolve(workingDirectory, bundle),
          hosts: resolve(workingDirectory, flags.hosts),
          action: actions[0] ?? null,
          only: flags.only ?? [],
          dryRun: flags.dryRun ?? false,
          parallel: flags.parallel,
          keepGoing: flags.keepGoing ?? false,
          json: flags.json ?? false,
          trust: givenTrust(flags.publicKey ?? [], flags.require, workingDirectory),
        },
        surroundings,
      );
    });
}
