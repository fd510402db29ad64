/** Certificates as they were issued: read back from PEM, and whether they still fit. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { ExpectedError, messageOf } from "#cli/errors";
import { usualSpelling } from "#formats/address";
import { algorithmOf, type KeyAlgorithm, makeCertificate, type Subject } from "#x509";
import type { IssuedPair } from "../components/credentials.ts";
import type { WantedLeaf } from "./certificates.ts";

/** Key and certificate out of one PEM text; PKI_INVALID when one is missing, damaged, or they do not belong together. */
export function parsePair(text: string, where: string): IssuedPair {
  const [key] = blocks(text, "(?:RSA |EC )?PRIVATE KEY");
  const [certificate, ...chain] = blocks(text, "CERTIFICATE");
  const damaged = (why: string, cause?: unknown): ExpectedError =>
    new ExpectedError("PKI_INVALID", why, { where, cause, hint: `restore ${where} from your backup of the keys` });
  if (key === undefined || certificate === undefined) throw damaged("this file does not hold a key and a certificate");
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw damaged("key and certificate do not belong together");
    return {
      certificate,
      chain: chain.join(""),
      key,
      subject: parsed.subject.split("\n").join(", "),
      sans: sansOf(parsed),
      notBefore: parsed.validFromDate,
      notAfter: parsed.validToDate,
    };
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw damaged("key or certificate is damaged", cause);
  }
}

/** Why a leaf no longer fits what is wanted; null when it does. */
export function whyStale(
  leaf: IssuedPair,
  wanted: WantedLeaf,
  ca: IssuedPair,
  now: Date,
  policy: { readonly renewBefore: number; readonly algorithm: KeyAlgorithm },
): string | null {
  const parsed = new X509Certificate(leaf.certificate);
  const authority = new X509Certificate(ca.certificate);
  if (!parsed.checkIssued(authority) || !parsed.verify(authority.publicKey)) return "another CA signed it";
  const { spec } = wanted;
  const organization = wanted.organization === undefined ? "" : `, O=${wanted.organization}`;
  const subject = `CN=${spec.commonName}${organization}`;
  if (leaf.subject !== subject) return `its subject was ${leaf.subject}, wanted is ${subject}`;
  if (leaf.sans.toSorted().join() !== [...wanted.sans].toSorted().join()) {
    return `its names were ${leaf.sans.join(" ") || "none"}, wanted are ${wanted.sans.join(" ") || "none"}`;
  }
  const kind = algorithmOf(parsed.publicKey);
  if (kind !== policy.algorithm) return `its key was ${kind ?? "of another kind"}, wanted is ${policy.algorithm}`;
  const days = Math.floor((leaf.notAfter.getTime() - now.getTime()) / 86_400_000);
  // A leaf that its CA's end has clipped would not get longer by a reissue.
  if (days < policy.renewBefore && leaf.notAfter < ca.notAfter) return `it ends in ${days} days`;
  return null;
}

export function describeCertificate(node: string, name: string): string {
  return `${name} of ${node}`;
}

function sansOf(certificate: X509Certificate): string[] {
  return (
    (certificate.subjectAltName ?? "")
      .split(", ")
      .filter((item) => item !== "")
      // OpenSSL writes out every group of an IPv6 address, in capitals.
      .map((item) => usualSpelling(item.replace(/^(DNS|IP Address):/, "")))
  );
}

/** An intermediate and what is above it, up to the root and without it; empty for a CA that signed itself. */
export function belowRoot(ca: IssuedPair): string {
  return [ca.certificate, ...blocks(ca.chain, "CERTIFICATE")]
    .filter((pem) => !signsItself(new X509Certificate(pem)))
    .join("");
}

export function signsItself(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

/** Every PEM block of a label, in order. */
export function blocks(text: string, label: string): string[] {
  return [...text.matchAll(new RegExp(`-----BEGIN (${label})-----[\\s\\S]*?-----END \\1-----\\n?`, "g"))].map(
    ([whole]) => whole,
  );
}

/** PKI_INVALID where the text is no private key. */
export function readKey(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new ExpectedError("PKI_INVALID", `not a private key: ${messageOf(cause)}`, { where, cause });
  }
}

/** The CA `own` as an intermediate of `before`. */
export function crossSign(own: IssuedPair, before: IssuedPair, subject: Subject): string {
  const publicKey = createPublicKey(readKey(own.key, own.subject));
  const notBefore = own.notBefore < before.notBefore ? before.notBefore : own.notBefore;
  const notAfter = own.notAfter > before.notAfter ? before.notAfter : own.notAfter;
  return makeCertificate(
    { subject, publicKey, notBefore, notAfter, issuer: before, authority: true, usages: [], sans: [] },
    readKey(before.key, before.subject),
  );
}
