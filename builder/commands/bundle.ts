/** `verify`, `inspect`, `diff`: what a bundle can be asked. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { openBundle, parsePublicKey, problemError, type PublicKey, verifyBundle } from "#bundle";
import { ExpectedError } from "#kit/errors";
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

  command("verify <bundle...>", "Check every byte of a bundle (a .tar or its folder), or of the parts of a split one")
    .option("--public-key <key>", "minisign's public key, or a file with it: the bundle must be signed with it")
    .action(async (paths: string[], flags: Flags) => verify(paths, flags, surroundings));

  command("inspect <bundle>", "Show what is in a bundle, for whom, and where each file came from")
    .option("--files", "every file with its mode, owner, digest and origin")
    .option("--node <name>", "one node's files")
    .action(async (where: string, flags: Flags) => {
      const reporter = reporterFor(surroundings, flags);
      inspect(await openBundle(where), { files: flags.files ?? false, node: flags.node, reporter });
    });

  command("certs <bundle>", "List every certificate with its subject, names, node, and days left").action(
    async (where: string, flags: Flags) => {
      const { certificateLine } = await import("../inspect.ts");
      const reporter = reporterFor(surroundings, flags);
      for (const certificate of (await openBundle(where)).index.certificates) {
        reporter.record("certificate", { ...certificate });
        reporter.info(certificateLine(certificate, new Date()));
      }
    },
  );

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

async function verify(paths: readonly string[], flags: Flags, surroundings: Surroundings): Promise<void> {
  const reporter = reporterFor(surroundings, flags);
  const [where = "", ...more] = paths;
  if (more.length > 0 || where.endsWith(".parts")) {
    const { checkParts } = await import("../pack/parts.ts");
    const problems = checkParts(paths);
    for (const problem of problems) reporter.error(problemError(problem, where));
    if (problems.length > 0) throw new Exit(5);
    return reporter.info(`${paths.length - 1} parts are what they should be; kubeferry join puts them together`);
  }
  const bundle = await openBundle(where);
  const publicKey = flags.publicKey === undefined ? undefined : await keyOf(flags.publicKey, surroundings);
  const problems = await verifyBundle(bundle, { reporter, publicKey });
  for (const problem of problems) reporter.error(problemError(problem, where));
  const [first] = problems;
  if (first !== undefined) throw new Exit(problemError(first, where).exitCode);
  reporter.record("verified", { where, payloadDigest: bundle.payloadDigest, members: bundle.source.members.size });
  const signed = publicKey === undefined ? "" : ", and the signature is of that key";
  reporter.info(`${where}: all ${bundle.source.members.size} members are what they should be${signed}`);
  reporter.info(`payload ${bundle.payloadDigest}`);
}

/** The key itself (`RWQ…`), or the file that holds it. */
async function keyOf(given: string, { workingDirectory }: Surroundings): Promise<PublicKey> {
  if (/^RW[A-Za-z0-9+/]{50,}={0,2}$/.test(given)) return parsePublicKey(given);
  const path = resolve(workingDirectory, given);
  try {
    return parsePublicKey(await readFile(path, "utf8"), path);
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw new ExpectedError("USAGE", "the public key cannot be read", {
      where: path,
      cause,
      hint: "give minisign's .pub file",
    });
  }
}
