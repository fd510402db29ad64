/** Upstream's signature over a checksum list: fetched with the keys, and verified before a digest is taken from the list. */
import { ExpectedError, isExpected } from "#cli/errors";
import type { Platform } from "#bundle";
import type { Artifact, Signers } from "../config/release.ts";
import type { SignedBy } from "../lock/lock.ts";
import { checksumFor } from "./checksum-file.ts";
import { clearSigned, detached, keysOf } from "./openpgp.ts";
import { type PinContext, readAnywhere, type SignedList } from "./published.ts";

/** A list and whose signature it is to have, as the release says. */
export interface SignedSource {
  /** Of the list. */
  readonly url: string;
  /** Of a detached signature; undefined: the list is clear-signed. */
  readonly from: string | undefined;
  readonly signer: Signers[string];
}

/** Null where the release names no signature. */
export function signedSource({ signature, checksum, published }: Artifact, signers: Signers): SignedSource | null {
  const url = checksum ?? published;
  const signer = signature && signers[signature.by];
  return url === undefined || signer === undefined ? null : { url, from: signature?.from, signer };
}

/**
 * Who signed the list that names `digest`, which the release pins; null where the release names no signature, or none can
 * be had here, which is told. SIGNATURE_INVALID or DIGEST_MISMATCH where upstream says otherwise than the release.
 */
export async function signerOf(artifact: Artifact, digest: string, context: PinContext): Promise<SignedBy | null> {
  const { from, platform } = artifact;
  const source = signedSource(artifact, context.signers);
  if (source === null) return null;
  let list: SignedList;
  try {
    list = await signedList(source, platform, context);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!isExpected(error) || error.exitCode !== 4 || error.code === "TOO_LARGE") throw error;
    if (error.code === "NOT_FOUND") throw missing(source.url);
    return null;
  }
  const listed = checksumFor(list.text, from, [digest.startsWith("sha512:") ? "sha512" : "sha256"]);
  if (listed === digest) return list.signedBy;
  throw new ExpectedError("DIGEST_MISMATCH", `upstream signed another digest of ${from} than the release pins`, {
    where: source.url,
    expected: digest,
    found: listed ?? "none, or several",
    hint: "compare both with what upstream announces; a release manifest of your own may pin another digest",
  });
}

/** Of the several artifacts that one list names, the first asks, and tells what it could not ask. */
async function signedList(source: SignedSource, platform: Platform, context: PinContext): Promise<SignedList> {
  const { lists, reporter } = context;
  const { url } = source;
  const key = JSON.stringify(source);
  const known = lists.get(key);
  if (known !== undefined) return await known;
  const asked = readAnywhere(url, platform, context, (bytes, where) =>
    verifyList({ bytes, where }, source, platform, context),
  );
  lists.set(key, asked);
  try {
    return await asked;
  } catch (error) {
    if (isExpected(error) && error.exitCode === 4 && error.code !== "NOT_FOUND") {
      reporter.warn(`nobody's signature of ${url} was checked: ${error.code}: ${error.message}`);
    }
    throw error;
  }
}

/** What of a list that was read at `where` is signed, and by whom. SIGNATURE_INVALID; codes of exit 4 where it cannot be asked. */
export async function verifyList(
  { bytes, where }: { readonly bytes: Buffer; readonly where: string },
  { url, from, signer: { keys: file, fingerprints } }: SignedSource,
  platform: Platform,
  context: PinContext,
): Promise<SignedList> {
  const read = async <T>(what: string, check: (bytes: Buffer, where: string) => Promise<T>): Promise<T> => {
    try {
      return await readAnywhere(what, platform, context, check);
    } catch (error) {
      throw isExpected(error, "NOT_FOUND") ? missing(what) : error;
    }
  };
  const keys = await read(file, (found, at) => keysOf(found, fingerprints, at));
  const text = bytes.toString("utf8");
  if (from === undefined) {
    const { signer, text: signed } = await clearSigned(text, keys, where);
    return { text: signed, signedBy: { ...signer, list: url } };
  }
  const signer = await read(from, (found, at) => detached(bytes, found, keys, at));
  return { text, signedBy: { ...signer, list: url } };
}

/** What the release says that upstream publishes, and upstream does not. */
export function missing(url: string): ExpectedError {
  return new ExpectedError(
    "SIGNATURE_INVALID",
    "upstream signs this, says the release, but the signature is not there",
    {
      where: url,
      expected: "a signed list, its signature and the keys",
      found: "NOT_FOUND",
      hint: "ask upstream where it publishes them; `signature:` in a copy of the release manifest says it, or is taken out",
    },
  );
}
