/** `verify` on the online side: a bundle, or the parts of a split one, checked with the code that the node will use. */
import { givenPublicKey, openBundle, problemError, verifyBundle } from "#bundle";
import { Exit, reporterFor, type Surroundings } from "#kit/run";
import { checkParts } from "./pack/parts.ts";

export interface VerifyFlags {
  readonly json?: boolean;
  /** minisign's public key, or a file with it. */
  readonly publicKey?: string;
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
  const bundle = await openBundle(where);
  const publicKey =
    flags.publicKey === undefined ? undefined : givenPublicKey(flags.publicKey, surroundings.workingDirectory);
  const problems = await verifyBundle(bundle, { reporter, publicKey });
  for (const problem of problems) reporter.error(problemError(problem, where));
  const [first] = problems;
  if (first !== undefined) throw new Exit(problemError(first, where).exitCode);
  reporter.record("verified", { where, payloadDigest: bundle.payloadDigest, members: bundle.source.members.size });
  const signed = publicKey === undefined ? "" : ", and the signature is of that key";
  reporter.info(`${where}: all ${bundle.source.members.size} members are what they should be${signed}`);
  reporter.info(`payload ${bundle.payloadDigest}`);
}
