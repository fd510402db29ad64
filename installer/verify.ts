/** `./install verify`: every byte of the bundle, every problem. */
import { openBundle, problemError, verifyBundle } from "#bundle";
import type { Context } from "./context.ts";

/** Tells all problems and throws the first (exit 5). */
export async function verifyOnly(where: string, { reporter }: Context): Promise<void> {
  const bundle = await openBundle(where);
  const problems = await verifyBundle(bundle, { reporter });
  for (const problem of problems.slice(1)) reporter.error(problemError(problem, where));
  const [first] = problems;
  if (first !== undefined) throw problemError(first, where);
  reporter.record("verified", { where, payload: bundle.payloadDigest });
  reporter.stage("verify", `every byte of ${where} is what was built (payload ${bundle.payloadDigest.slice(0, 12)})`);
}
