/** Writes the page of `inspect --html`. */
import { resolve } from "node:path";
import { givenTrust, openBundle, signaturePath, replaceFile } from "#bundle";
import { reporterFor, type Surroundings } from "#cli/run";
import { refuseFile } from "../pack/output.ts";
import { htmlPage } from "./page.ts";

export interface PageFlags {
  readonly json?: boolean;
  readonly against?: string;
  readonly publicKey?: string[];
  readonly force?: boolean;
}

/** USAGE where the file is there, SIGNATURE_INVALID where a key was given and the bundle is not signed with it. The index is checked, other bytes are not: `verify` does that. */
export async function writePage(
  where: string,
  file: string,
  flags: PageFlags,
  surroundings: Surroundings,
): Promise<void> {
  const path = resolve(surroundings.workingDirectory, file);
  await refuseFile(path, "--html", flags.force ?? false);
  const trust = givenTrust(flags.publicKey ?? [], undefined, surroundings.workingDirectory);
  const bundle = await openBundle(where, [trust]);
  const against = flags.against === undefined ? null : await openBundle(flags.against);
  const signed = [...bundle.source.members.keys()].some((member) => member.startsWith(signaturePath));
  const { signatures } = bundle;
  await replaceFile(path, htmlPage({ bundle, signed, signatures, against, now: new Date() }), 0o644);
  const reporter = reporterFor(surroundings, flags);
  reporter.record("page", { path, payloadDigest: bundle.payloadDigest });
  reporter.info(`${path}: payload ${bundle.payloadDigest}`);
}
