/**
 * Upstream's OpenPGP signatures, detached and around a list, held against keys that a release names by fingerprint.
 * A key says nothing by lying where it is fetched from: only its fingerprint counts, and what its owner signed with it.
 */
import type { PublicKey, VerifyMessageResult } from "openpgp";
import { ExpectedError, messageOf } from "#cli/errors";

export interface Signer {
  /** Of the primary key: 40 hex digits, or 64 of a key of version 6; in capitals. */
  readonly fingerprint: string;
  /** The user id that the key's owner confirmed, `Aleksa Sarai <cyphar@cyphar.com>`; empty where there is none. */
  readonly name: string;
  /** The day, as the signature says, `2026-06-13`. */
  readonly signed: string;
}

const begin = "-----BEGIN PGP SIGNED MESSAGE-----";
const hint =
  "if upstream says that it signs otherwise now: change `signature:` in a copy of the release manifest, and give its path; otherwise distrust this source";

/** What decides whether a signature counts, apart from openpgp.js' own defaults: no SHA-1, no RSA below 2047 bits. */
const config = {
  // A key whose owner prolonged it after signing counts by what it says today.
  allowInsecureVerificationWithReformattedKeys: true,
};

/** The keys of these fingerprints in a file of public keys, binary or armoured; SIGNATURE_INVALID where it has none of them. */
export async function keysOf(file: Buffer, fingerprints: readonly string[], where: string): Promise<PublicKey[]> {
  const { readKeys } = await import("openpgp");
  const blocks = file
    .toString("latin1")
    .match(/^-----BEGIN PGP PUBLIC KEY BLOCK-----$[^]*?^-----END PGP PUBLIC KEY BLOCK-----$/gm);
  const found: PublicKey[] = [];
  try {
    for (const armoredKeys of blocks ?? []) found.push(...(await readKeys({ armoredKeys })));
    if (blocks === null) found.push(...(await readKeys({ binaryKeys: file })));
  } catch (cause) {
    throw invalid(`these are no OpenPGP public keys: ${messageOf(cause)}`, where, { cause });
  }
  const keys = found.filter((key) => fingerprints.includes(fingerprintOf(key)));
  if (keys.length > 0) return keys;
  throw invalid("none of the keys that the release trusts is among these", where, {
    expected: fingerprints.join(", "),
    found: found.map(fingerprintOf).join(", ") || "no key",
  });
}

/** The text that one of `keys` signed, and nothing beside it; SIGNATURE_INVALID otherwise. */
export async function clearSigned(
  text: string,
  keys: readonly PublicKey[],
  where: string,
): Promise<{ readonly text: string; readonly signer: Signer }> {
  if (!text.includes(begin)) throw invalid("upstream's list carries no signature", where, { expected: begin });
  const alone =
    /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[^]*\n-----BEGIN PGP SIGNATURE-----\r?\n[^]*\n-----END PGP SIGNATURE-----\s*$/;
  const armour = text.match(/^-----/gm) ?? [];
  if (!alone.test(text) || armour.length !== 3) {
    throw invalid("there is text outside of what was signed", where, { expected: "one signed text, and nothing else" });
  }
  const { readCleartextMessage, verify } = await import("openpgp");
  const message = await readCleartextMessage({ cleartextMessage: text }).catch((cause: unknown) => {
    throw invalid(`this is no clear-signed text: ${messageOf(cause)}`, where, { cause });
  });
  const { signatures } = await verify({ message, verificationKeys: [...keys], config });
  return { text: message.getText(), signer: await signerOf(signatures, keys, where) };
}

/** Who of `keys` signed these bytes; SIGNATURE_INVALID where none of them did. */
export async function detached(
  content: Uint8Array,
  file: Buffer,
  keys: readonly PublicKey[],
  where: string,
): Promise<Signer> {
  const { createMessage, readSignature, verify } = await import("openpgp");
  const text = file.toString("latin1");
  const isArmoured = text.startsWith("-----BEGIN PGP SIGNATURE-----");
  const reading = isArmoured
    ? readSignature({ armoredSignature: text })
    : readSignature({ binarySignature: new Uint8Array(file) });
  const signature = await reading.catch((cause: unknown) => {
    throw invalid(`this is no OpenPGP signature: ${messageOf(cause)}`, where, { cause });
  });
  const message = await createMessage({ binary: new Uint8Array(content) });
  const { signatures } = await verify({ message, signature, verificationKeys: [...keys], config });
  return await signerOf(signatures, keys, where);
}

/** Of several signatures one must hold; those of keys that the release does not name say nothing. */
async function signerOf(
  signatures: VerifyMessageResult["signatures"],
  keys: readonly PublicKey[],
  where: string,
): Promise<Signer> {
  let why: unknown;
  for (const { keyID, verified, signature } of signatures) {
    const key = keys.find((one) => one.getKeys(keyID).length > 0);
    if (key === undefined) continue;
    try {
      await verified;
    } catch (error) {
      why = error;
      continue;
    }
    const made = (await signature).packets[0]?.created ?? new Date();
    return { fingerprint: fingerprintOf(key), name: await nameOf(key, made), signed: made.toISOString().slice(0, 10) };
  }
  const expected = keys.map((key) => `a signature by ${fingerprintOf(key)}`).join(", or ");
  const found = signatures.map(({ keyID }) => `one by the key ${keyID.toHex().toUpperCase()}`).join(", ");
  if (why === undefined) throw invalid("upstream's list is signed by another key", where, { expected, found });
  const told = /Signed digest did not match|Signature verification failed/.test(messageOf(why))
    ? "it was changed after it was signed"
    : messageOf(why);
  throw invalid(`upstream's signature does not hold: ${told}`, where, { expected, found, cause: why });
}

/** User ids that nobody but their writer confirmed can be put into any key. */
async function nameOf(key: PublicKey, at: Date): Promise<string> {
  for (const date of [at, new Date()]) {
    const found = await key.getPrimaryUser(date).catch(() => null);
    if (found?.user.userID) return found.user.userID.userID;
  }
  return "";
}

function fingerprintOf(key: PublicKey): string {
  return key.getFingerprint().toUpperCase();
}

function invalid(message: string, where: string, details: object): ExpectedError {
  return new ExpectedError("SIGNATURE_INVALID", message, { where, hint, ...details });
}
