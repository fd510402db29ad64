/** `./install verify`: every byte of the bundle, every problem. */
import { requireWhole, type Trust } from "#bundle";
import type { Context } from "../context.ts";
import { openTrusted } from "../trust/open-trusted.ts";

/** Tells all problems and throws the first (exit 5). */
export async function verifyOnly(
  where: string,
  trusts: readonly Trust[],
  { reporter, signal }: Context,
): Promise<void> {
  const bundle = await openTrusted(where, trusts, reporter);
  await requireWhole(bundle, { reporter, signal });
  const { payloadDigest, source, signatures } = bundle;
  reporter.record("verified", { where, payloadDigest, members: source.members.size, signatures });
  reporter.stage("verify", `every byte of ${where} is what was built (payload ${payloadDigest.slice(0, 12)})`);
}
