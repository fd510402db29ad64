/** A certificate once more, with a new key of the same kind and a new life. Subject, names and usages are those of the old one. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
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
} from "#x509";

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

/** As long as the old one was issued for, never past the CA's end. PKI_INVALID where the CA's key is not its own. */
export async function reissue(old: string, authority: Pair, now: Date): Promise<Pair> {
  const ca = new X509Certificate(authority.certificate);
  const signer = createPrivateKey(authority.key);
  if (!ca.checkPrivateKey(signer)) {
    throw new ExpectedError("PKI_INVALID", "the CA's key does not belong to its certificate", { where: ca.subject });
  }
  const before = new X509Certificate(old);
  const privateKey = await generateKey(algorithmOf(before.publicKey) ?? "RSA-2048");
  const publicKey = createPublicKey(privateKey);
  const life = before.validToDate.getTime() - before.validFromDate.getTime();
  // Clocks of a cluster differ a little.
  const notBefore = new Date(Math.max(now.getTime() - hour, ca.validFromDate.getTime()));
  const notAfter = new Date(Math.min(notBefore.getTime() + life, ca.validToDate.getTime()));
  const parts = readCertificate(before);
  const renewed = (one: Asn1): Asn1 =>
    extensionId(one) === subjectKeyIdentifier ? extension(subjectKeyIdentifier, octets(keyIdentifier(publicKey))) : one;
  const extensions = parts.extensions.map(renewed);
  const certificate = signCertificate({ ...parts, notBefore, notAfter, publicKey, extensions }, signer);
  if (!isIssuedBy(certificate, authority.certificate)) throw new Error("a certificate that its CA did not sign");
  return { certificate, key: privatePem(privateKey) };
}
