/** A certificate once more, with a new key of the same kind and a new life. Subject, names and usages are those of the old one. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { ExpectedError } from "#cli/errors";
import {
  algorithmOf,
  type Asn1,
  extension,
  extensionId,
  generateKey,
  keyIdentifier,
  octets,
  privatePem,
  readCertificate,
  signCertificate,
} from "./der.ts";

/** PEM both. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

const subjectKeyIdentifier = "2.5.29.14";
const hour = 3_600_000;

/** Whether the CA, and not only one of its name, signed the certificate. */
export function isIssuedBy(certificate: string, authority: string): boolean {
  const [leaf, ca] = [new X509Certificate(certificate), new X509Certificate(authority)];
  return leaf.fingerprint256 !== ca.fingerprint256 && leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
}

/** PKI_INVALID where the CA's key is not its own, or cannot be read. */
export function openAuthority({ certificate, key }: Pair): {
  readonly ca: X509Certificate;
  readonly signer: KeyObject;
} {
  const [ca, signer] = [new X509Certificate(certificate), readKey(key)];
  if (signer !== null && ca.checkPrivateKey(signer)) return { ca, signer };
  const what = signer === null ? "is no key" : "does not belong to its certificate";
  throw new ExpectedError("PKI_INVALID", `the CA's key ${what}`, { where: ca.subject });
}

function readKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** When a certificate begins that is signed now: clocks of a cluster differ a little. */
export function beginning(ca: X509Certificate, now: Date): Date {
  return new Date(Math.max(now.getTime() - hour, ca.validFromDate.getTime()));
}

/** As long as the old one was issued for, never past the CA's end. PKI_INVALID where the CA's key is not its own. */
export async function reissue(old: string, authority: Pair, now: Date): Promise<Pair> {
  const { ca, signer } = openAuthority(authority);
  const before = new X509Certificate(old);
  const privateKey = await generateKey(algorithmOf(before.publicKey) ?? "RSA-2048");
  const publicKey = createPublicKey(privateKey);
  const life = before.validToDate.getTime() - before.validFromDate.getTime();
  const notBefore = beginning(ca, now);
  const notAfter = new Date(Math.min(notBefore.getTime() + life, ca.validToDate.getTime()));
  const parts = readCertificate(before);
  const renewed = (one: Asn1): Asn1 =>
    extensionId(one) === subjectKeyIdentifier ? extension(subjectKeyIdentifier, octets(keyIdentifier(publicKey))) : one;
  const extensions = parts.extensions.map(renewed);
  const certificate = signCertificate({ ...parts, notBefore, notAfter, publicKey, extensions }, signer);
  if (!isIssuedBy(certificate, authority.certificate)) throw new Error("a certificate that its CA did not sign");
  return { certificate, key: privatePem(privateKey) };
}
