/** Opens a bundle as far as it is trusted here, and says whose signature that rests on, or that it rests on none. */
import { type Bundle, openBundle, type Trust } from "#bundle";
import type { Reporter } from "#cli/reporter";
import { trustedFolder } from "./trusted-keys.ts";

/** SIGNATURE_INVALID before anything of the bundle but SHA256SUMS and its signatures is read. */
export async function openTrusted(where: string, trusts: readonly Trust[], reporter: Reporter): Promise<Bundle> {
  const bundle = await openBundle(where, trusts);
  for (const { key, comment } of bundle.signatures) reporter.stage("signature", `good, of key ${key}: ${comment}`);
  if (trusts.length === 0) {
    reporter.warn(
      `nobody's signature was asked for: give --public-key KEY, or put the key into ${trustedFolder}; the key comes from who signs, never with the bundle`,
    );
  }
  return bundle;
}
