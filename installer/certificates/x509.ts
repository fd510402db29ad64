/** `#x509`, of both programs: what a cluster's certificates say, subjects, names and usages, as the extensions that TLS and Kubernetes ask for. */
import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";
import {
  type Asn1,
  children,
  extension,
  extensionValue,
  keyIdentifier,
  octets,
  oid,
  primitive,
  readCertificate,
  sequence,
  set,
  signCertificate,
  signRequest,
  tagged,
} from "./der.ts";

export { algorithmOf, generateKey, type KeyAlgorithm, keyAlgorithms, privatePem, publicPem } from "./der.ts";

export type Usage = "server" | "client";

export interface Subject {
  readonly commonName: string;
  readonly organization?: string | readonly string[] | undefined;
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Null: a CA that signs itself. */
  readonly issuer: { readonly certificate: string } | null;
  /** A CA, although `issuer` signs it. */
  readonly authority?: true;
  readonly usages: readonly Usage[];
  readonly sans: readonly string[];
}

const { Type } = forge.asn1;
const ids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  names: "2.5.29.17",
  constraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  any: "2.5.29.37.0",
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
} as const;

/** The certificate as PEM, signed by `signer`. */
export function makeCertificate(request: CertificateRequest, signer: KeyObject): string {
  const subject = nameOf(request.subject);
  const authority = request.issuer === null ? null : new X509Certificate(request.issuer.certificate);
  const parent = authority === null ? null : readCertificate(authority);
  const own = keyIdentifier(request.publicKey);
  const given = parent === null ? null : extensionValue(parent.extensions, ids.subjectKeyIdentifier);
  const theirs = authority === null ? own : keyIdentifier(authority.publicKey);
  return signCertificate(
    {
      ...request,
      subject,
      issuer: parent?.subject ?? subject,
      extensions: [
        ...(parent === null || request.authority ? authorityExtensions() : leafExtensions(request)),
        extension(ids.subjectKeyIdentifier, octets(own)),
        extension(
          ids.authorityKeyIdentifier,
          sequence(tagged(0, typeof given?.value === "string" ? given.value : theirs)),
        ),
      ],
    },
    signer,
  );
}

/** A request for the certificate of an intermediate CA, as PEM. */
export function makeAuthorityRequest(subject: Subject, key: KeyObject): string {
  const identifier = octets(keyIdentifier(createPublicKey(key)));
  const extensions = [...authorityExtensions(), extension(ids.subjectKeyIdentifier, identifier)];
  return signRequest(nameOf(subject), extensions, key);
}

/** Why a certificate cannot issue those of a cluster; null when it can. */
export function whyNoAuthority(certificate: X509Certificate): string | null {
  const { extensions } = readCertificate(certificate);
  const usage = extensionValue(extensions, ids.keyUsage)?.value;
  // How many bits are unused, then the bits; keyCertSign is the sixth.
  if (typeof usage === "string" && (usage.charCodeAt(1) & 0x04) === 0) return "its keyUsage lacks keyCertSign";
  // OpenSSL's word, which takes the usages above into account.
  if (!certificate.ca) return "it is not a CA's: basicConstraints without CA:TRUE";
  const purposes = extensionValue(extensions, ids.extendedKeyUsage);
  if (purposes === null) return null;
  const has = children(purposes).map(({ value }) => forge.asn1.derToOid(value as string));
  const lacking = (["server", "client"] as const).filter(
    (usage) => !has.includes(ids[usage]) && !has.includes(ids.any),
  );
  return lacking.length === 0
    ? null
    : `its extendedKeyUsage lacks ${lacking.map((usage) => `${usage}Auth`).join(", ")}`;
}

function authorityExtensions(): Asn1[] {
  return [
    extension(ids.constraints, sequence(primitive(Type.BOOLEAN, "\xff")), true),
    // digitalSignature, keyCertSign, cRLSign; one bit is unused.
    extension(ids.keyUsage, primitive(Type.BITSTRING, "\x01\x86"), true),
  ];
}

function leafExtensions({ usages, sans, publicKey }: CertificateRequest): Asn1[] {
  // digitalSignature; and keyEncipherment, which only an RSA key can do.
  const usage = publicKey.asymmetricKeyType === "rsa" ? "\x05\xa0" : "\x07\x80";
  return [
    extension(ids.constraints, sequence(), true),
    extension(ids.keyUsage, primitive(Type.BITSTRING, usage), true),
    extension(ids.extendedKeyUsage, sequence(...usages.map((purpose) => oid(ids[purpose])))),
    ...(sans.length === 0 ? [] : [extension(ids.names, sequence(...sans.map(alternative)))]),
  ];
}

function alternative(san: string): Asn1 {
  if (isIP(san) === 0) return tagged(2, san);
  // Not among the types of forge.
  return tagged(7, (forge.util as unknown as { bytesFromIP(ip: string): string }).bytesFromIP(san));
}

function nameOf({ commonName, organization }: Subject): Asn1 {
  const field = (id: string, value: string): Asn1 =>
    set(sequence(oid(id), primitive(Type.UTF8, Buffer.from(value).toString("latin1"))));
  const organizations = [organization ?? []].flat().map((one) => field(ids.organization, one));
  return sequence(field(ids.commonName, commonName), ...organizations);
}
