/** `verify` on the online side: a bundle, or the parts of a split one, checked with the code that the node will use. */
import { givenTrust, openBundle, problemError, verifyBundle } from "#bundle";
import { Exit, reporterFor, type Surroundings } from "#cli/run";
import { checkParts } from "./pack/parts.ts";

export interface VerifyFlags {
  readonly json?: boolean;
  /** minisign's public keys, or files with them. */
  readonly publicKey?: string[];
  /** How many of them must have signed. */
  readonly require?: number;
}

/** Tells every problem, and ends with the exit code of the first. */
export async function verify(paths: readonly string[], flags: VerifyFlags, surroundings: Surroundings): Promise<void> {
  const reporter = reporterFor(surroundings, flags);
  const [where = "", ...more] = paths;
  if (more.length > 0 || /\.(parts|part-\d+)$/.test(where)) {
    const { problems, count } = checkParts(paths);
    for (const problem of problems) reporter.error(problemError(problem, where));
    if (problems.length > 0) throw new Exit(5);
    reporter.record("verified", { where, parts: count });
    const all = count === 1 ? "the one part is what it should be" : `all ${count} parts are what they should be`;
    return reporter.info(`${all}; kubeferry join puts them together`);
  }
  const trust = givenTrust(flags.publicKey ?? [], flags.require, surroundings.workingDirectory);
  const bundle = await openBundle(where, [trust]);
  const problems = await verifyBundle(bundle, { reporter, signal: surroundings.signal });
  for (const problem of problems) reporter.error(problemError(problem, where));
  const [first] = problems;
  if (first !== undefined) throw new Exit(problemError(first, where).exitCode);
  const { payloadDigest, source, signatures } = bundle;
  reporter.record("verified", { where, payloadDigest, members: source.members.size, signatures });
  reporter.info(`${where}: all ${source.members.size} members are what they should be`);
  for (const { key, comment } of signatures) reporter.info(`signed with key ${key}: ${comment}`);
  if (trust === null) reporter.info("whose it is was not asked: --public-key KEY checks the signature");
  reporter.info(`payload ${payloadDigest}`);
}
