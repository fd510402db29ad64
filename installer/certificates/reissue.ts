/**
 * A certificate once more, with a new key and a new life: node-forge puts it together, node:crypto makes the key and
 * signs. Subject, names and usages are those of the old one.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, sign, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";
import { ExpectedError } from "#cli/errors";

/** PEM both. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

const makeKeyPair = promisify(generateKeyPair);
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
  const { privateKey } = await makeKeyPair("rsa", { modulusLength: 2048 });
  const { pki } = forge;
  const before = pki.certificateFromPem(old);
  const certificate = pki.createCertificate();
  const publicPem = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  certificate.publicKey = pki.publicKeyFromPem(publicPem);
  // A positive number of 127 bits.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = serial.toString("hex");
  const life = before.validity.notAfter.getTime() - before.validity.notBefore.getTime();
  // Clocks of a cluster differ a little.
  const notBefore = new Date(Math.max(now.getTime() - hour, ca.validFromDate.getTime()));
  certificate.validity.notBefore = notBefore;
  certificate.validity.notAfter = new Date(Math.min(notBefore.getTime() + life, ca.validToDate.getTime()));
  certificate.setSubject(before.subject.attributes);
  certificate.setIssuer(before.issuer.attributes);
  const kept = (before.extensions as { name?: string }[]).filter(({ name }) => name !== "subjectKeyIdentifier");
  certificate.setExtensions([...kept, { name: "subjectKeyIdentifier" }]);
  const signed = signWith(certificate, (bytes) => sign("sha256", bytes, signer));
  const pair = { certificate: signed, key: privateKey.export({ type: "pkcs1", format: "pem" }).toString() };
  if (!isIssuedBy(pair.certificate, authority.certificate)) throw new Error("a certificate that its CA did not sign");
  return pair;
}

/** forge signs only with keys of its own; the types of its certificate leave out what it signs. */
function signWith(certificate: forge.pki.Certificate, signBytes: (bytes: Buffer) => Buffer): string {
  const { pki, asn1 } = forge;
  const algorithm = (pki.oids as Record<string, string>)["sha256WithRSAEncryption"] ?? "";
  certificate.signatureOid = algorithm;
  certificate.siginfo.algorithmOid = algorithm;
  const body = (pki as unknown as { getTBSCertificate(of: forge.pki.Certificate): forge.asn1.Asn1 }).getTBSCertificate(
    certificate,
  );
  certificate.signature = signBytes(Buffer.from(asn1.toDer(body).getBytes(), "latin1")).toString("latin1");
  return pki.certificateToPem(certificate).replaceAll("\r\n", "\n");
}
