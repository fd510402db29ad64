/** `verify`, `inspect`, `diff`: what a bundle can be asked. */
import { type Command, Option } from "commander";
import type { VerifyFlags } from "../verify.ts";
import { ExpectedError } from "#cli/errors";
import { example } from "#cli/help";
import { collect, withJson, withPublicKeys } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";

interface Flags {
  readonly json?: boolean;
  readonly files?: boolean;
  readonly node?: string;
  readonly sbom?: string;
  readonly html?: string;
  readonly against?: string;
  readonly publicKey?: string[];
  readonly force?: boolean;
}

export function addBundleCommands(program: Command, surroundings: Surroundings): void {
  const command = (usage: string, description: string): Command =>
    withJson(program.command(usage)).description(description);

  withPublicKeys(
    command(
      "verify <bundle...>",
      "Check every byte of a bundle (a .tar or its folder), or of the parts of a split one",
    ),
    "the bundle must be signed with it",
  )
    .addHelpText("after", example("kubeferry verify plant-7.tar --public-key release.pub"))
    .action(async (paths: string[], flags: VerifyFlags) => {
      const { verify } = await import("../verify.ts");
      await verify(paths, flags, surroundings);
    });

  command("inspect <bundle>", "Show what is in a bundle, for whom, and where each file came from")
    .addHelpText(
      "after",
      example(
        "kubeferry inspect plant-7.tar --node m1",
        "kubeferry inspect plant-7.tar --html plant-7.html --against plant-7-old.tar",
      ),
    )
    .option("--files", "every file with its mode, owner, digest and origin")
    .option("--node <name>", "one node's files")
    .addOption(
      new Option("--sbom <format>", "its software bill of materials on stdout, JSON: CycloneDX 1.6, SPDX 2.3").choices([
        "cyclonedx",
        "spdx",
      ]),
    )
    .option("--html <file>", "one page for the people who sign it off: no scripts, good on paper")
    .option("--force", "overwrite the file of --html")
    .option("--against <bundle>", "of the page: what changes against this one, which is installed today")
    .option("--public-key <key>", "of the page: minisign's public key that must have signed it (repeatable)", collect)
    .action(async (where: string, flags: Flags) => {
      if (flags.html !== undefined) {
        const { writePage } = await import("../page/write.ts");
        await writePage(where, flags.html, flags, surroundings);
        return;
      }
      if (flags.against !== undefined) {
        throw new ExpectedError("USAGE", "--against is of the page, and --html is missing", {
          where: flags.against,
          hint: `kubeferry diff ${flags.against} ${where}   shows what changes; --html FILE makes the page`,
        });
      }
      const { openBundle } = await import("#bundle");
      if (flags.sbom !== undefined) {
        const { cyclonedx } = await import("../sbom/cyclonedx.ts");
        const { spdx } = await import("../sbom/spdx.ts");
        surroundings.out.write((flags.sbom === "spdx" ? spdx : cyclonedx)(await openBundle(where)));
        return;
      }
      const { inspect } = await import("../inspect.ts");
      const reporter = reporterFor(surroundings, flags);
      inspect(await openBundle(where), { files: flags.files ?? false, node: flags.node, reporter });
    });

  command("certs <bundle>", "List every certificate with its subject, names, node, and days left")
    .addHelpText("after", example("kubeferry certs plant-7.tar"))
    .action(async (where: string, flags: Flags) => {
      const { openBundle } = await import("#bundle");
      const { certificateLine } = await import("../inspect.ts");
      const reporter = reporterFor(surroundings, flags);
      const { certificates, keys = {} } = (await openBundle(where)).index;
      for (const certificate of certificates) {
        reporter.record("certificate", { ...certificate });
        reporter.info(certificateLine(certificate, new Date()));
      }
      for (const [key, { step }] of Object.entries(keys)) {
        reporter.record("rotation", { key, step });
        reporter.info(`${key}: rotated, at the step ${step}`);
      }
    });

  command("diff <old> <new>", "Show what changes from one bundle to another")
    .addHelpText("after", example("kubeferry diff plant-7-old.tar plant-7.tar"))
    .action(async (from: string, to: string, flags: Flags) => {
      const { openBundle } = await import("#bundle");
      const { diffBundles, differenceLine } = await import("../diff.ts");
      const reporter = reporterFor(surroundings, flags);
      const differences = diffBundles((await openBundle(from)).index, (await openBundle(to)).index);
      for (const difference of differences) {
        reporter.record("difference", { ...difference });
        reporter.info(differenceLine(difference));
      }
      if (differences.length === 0) reporter.info("no difference in what is installed");
    });
}
