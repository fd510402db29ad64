/**
 * X.509 certificates: put together with node-forge, keys and signatures by node:crypto.
 * (forge makes RSA keys in JavaScript, which takes seconds a key.)
 */
import { type KeyObject, createPublicKey, generateKeyPair, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import forge from "node-forge";
import type { Usage } from "./certificates.ts";

export interface Subject {
  readonly commonName: string;
  readonly organization?: string | undefined;
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Null: a CA that signs itself. */
  readonly issuer: { readonly certificate: string } | null;
  readonly usages: readonly Usage[];
  readonly sans: readonly string[];
}

const makeKeyPair = promisify(generateKeyPair);

/** A new RSA key of 2048 bits as PKCS#8 PEM would hold it. Runs on the thread pool. */
export async function generateKey(): Promise<KeyObject> {
  const { privateKey } = await makeKeyPair("rsa", { modulusLength: 2048 });
  return privateKey;
}

/** The certificate as PEM, signed by `signer` with SHA-256. */
export function makeCertificate(request: CertificateRequest, signer: KeyObject): string {
  const { pki, asn1 } = forge;
  const certificate = pki.createCertificate();
  const publicPem = request.publicKey.export({ type: "spki", format: "pem" }).toString();
  certificate.publicKey = pki.publicKeyFromPem(publicPem);
  // A positive number of 127 bits.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = serial.toString("hex");
  certificate.validity.notBefore = request.notBefore;
  certificate.validity.notAfter = request.notAfter;
  const subject = attributes(request.subject);
  const issuer = request.issuer === null ? null : pki.certificateFromPem(request.issuer.certificate);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer === null ? subject : issuer.subject.attributes);
  const authority = issuer ?? certificate;
  certificate.setExtensions([
    ...(request.issuer === null ? authorityExtensions : leafExtensions(request)),
    { name: "subjectKeyIdentifier" },
    { name: "authorityKeyIdentifier", keyIdentifier: authority.generateSubjectKeyIdentifier().getBytes() },
  ]);

  const algorithm = oid("sha256WithRSAEncryption");
  certificate.signatureOid = algorithm;
  certificate.siginfo.algorithmOid = algorithm;
  // forge signs only with keys of its own; the types of its certificate leave out what it signs.
  const body = (pki as unknown as { getTBSCertificate(of: forge.pki.Certificate): forge.asn1.Asn1 }).getTBSCertificate(
    certificate,
  );
  const bytes = Buffer.from(asn1.toDer(body).getBytes(), "latin1");
  certificate.signature = sign("sha256", bytes, signer).toString("latin1");
  // Line feeds only: these texts go into kubeconfigs and onto Linux hosts.
  return pki.certificateToPem(certificate).replaceAll("\r\n", "\n");
}

/** `PUBLIC KEY` PEM of a private key. */
export function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/** PEM in the form that every Go program since 1.6 reads: PKCS#1, `RSA PRIVATE KEY`. */
export function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs1", format: "pem" }).toString();
}

const authorityExtensions = [
  { name: "basicConstraints", cA: true, critical: true },
  { name: "keyUsage", keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
];

function leafExtensions(request: CertificateRequest): object[] {
  return [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    {
      name: "extKeyUsage",
      ...(request.usages.includes("server") ? { serverAuth: true } : {}),
      ...(request.usages.includes("client") ? { clientAuth: true } : {}),
    },
    ...(request.sans.length === 0 ? [] : [{ name: "subjectAltName", altNames: request.sans.map(alternative) }]),
  ];
}

function alternative(san: string): object {
  return isIP(san) === 0 ? { type: 2, value: san } : { type: 7, ip: san };
}

function attributes(subject: Subject): forge.pki.CertificateField[] {
  return [
    { name: "commonName", value: subject.commonName },
    ...(subject.organization === undefined ? [] : [{ name: "organizationName", value: subject.organization }]),
  ];
}

function oid(name: string): string {
  const value = (forge.pki.oids as Record<string, string>)[name];
  if (value === undefined) throw new Error(`no object identifier for ${name}`);
  return value;
}
