/**
 * X.509, written and signed: node-forge encodes DER, node:crypto makes the keys and signs. forge itself knows RSA only,
 * so names, extensions and keys are carried as what they are: DER.
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";

export type Asn1 = forge.asn1.Asn1;

/** By the names that kubeadm gives them. */
export const keyAlgorithms = ["RSA-2048", "RSA-3072", "RSA-4096", "ECDSA-P256", "ECDSA-P384", "Ed25519"] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** Everything of a certificate but its serial number and signature. */
export interface CertificateParts {
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Asn1[];
}

const { asn1 } = forge;
const { Class, Type } = asn1;
const makeKeyPair = promisify(generateKeyPair);

/** A new private key. Runs on the thread pool. */
export async function generateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  if (algorithm === "Ed25519") return (await makeKeyPair("ed25519")).privateKey;
  const [kind, size = ""] = algorithm.split("-");
  if (kind === "RSA") return (await makeKeyPair("rsa", { modulusLength: Number(size) })).privateKey;
  return (await makeKeyPair("ec", { namedCurve: size === "P256" ? "P-256" : "P-384" })).privateKey;
}

/** Null where a key is of no kind that is made or taken here. */
export function algorithmOf(key: KeyObject): KeyAlgorithm | null {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const found = new Map([
    ["rsa", `RSA-${modulusLength}`],
    ["ec", `ECDSA-${namedCurve === "prime256v1" ? "P256" : namedCurve === "secp384r1" ? "P384" : namedCurve}`],
    ["ed25519", "Ed25519"],
  ]).get(key.asymmetricKeyType ?? "");
  return keyAlgorithms.find((name) => name === found) ?? null;
}

/** PEM in the form that every Go program since Kubernetes 1.6 reads: PKCS#1, SEC 1; of Ed25519, which has neither, PKCS#8. */
export function privatePem(key: KeyObject): string {
  const kind = key.asymmetricKeyType;
  const type = kind === "rsa" ? "pkcs1" : kind === "ec" ? "sec1" : "pkcs8";
  return key.export({ type, format: "pem" }).toString();
}

/** `PUBLIC KEY` PEM of a private key. */
export function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/** A new certificate as PEM, with a random serial number. */
export function signCertificate(parts: CertificateParts, signer: KeyObject): string {
  // A positive number of 127 bits.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const body = sequence(
    tagged(0, primitive(Type.INTEGER, "\x02")),
    primitive(Type.INTEGER, serial.toString("latin1")),
    signatureAlgorithm(signer).identifier,
    parts.issuer,
    sequence(time(parts.notBefore), time(parts.notAfter)),
    parts.subject,
    spki(parts.publicKey),
    tagged(3, sequence(...parts.extensions)),
  );
  return signed(body, signer, "CERTIFICATE");
}

/** A PKCS#10 request for a certificate of this key, as PEM. */
export function signRequest(subject: Asn1, extensions: readonly Asn1[], key: KeyObject): string {
  const wished = sequence(oid("1.2.840.113549.1.9.14"), set(sequence(...extensions)));
  const body = sequence(primitive(Type.INTEGER, "\0"), subject, spki(createPublicKey(key)), tagged(0, wished));
  return signed(body, key, "CERTIFICATE REQUEST");
}

/** The parts of a certificate that another one takes over. */
export function readCertificate(certificate: {
  readonly raw: Buffer;
}): Pick<CertificateParts, "issuer" | "subject" | "extensions"> {
  const [body] = children(decode(certificate.raw));
  // Without the version, which only certificates of version 1 lack; unique identifiers, tags 1 and 2, are nobody's any more.
  const [, , issuer, , subject, , extensions] = children(body).slice(1);
  if (issuer === undefined || subject === undefined) throw new Error("it is no X.509 certificate");
  return { issuer, subject, extensions: extensions === undefined ? [] : children(children(extensions)[0]) };
}

/** The value of an extension, DER decoded; null where there is none. */
export function extensionValue(extensions: readonly Asn1[], id: string): Asn1 | null {
  const found = extensions.find((one) => extensionId(one) === id);
  const value = found === undefined ? undefined : children(found).at(-1)?.value;
  return typeof value === "string" ? decode(value) : null;
}

export function extensionId(one: Asn1): string {
  return asn1.derToOid(children(one)[0]?.value as string);
}

export function extension(id: string, value: Asn1, critical = false): Asn1 {
  const flag = critical ? [primitive(Type.BOOLEAN, "\xff")] : [];
  return sequence(oid(id), ...flag, octets(der(value).toString("latin1")));
}

/** SHA-1 of the key's bits, as RFC 5280 proposes. */
export function keyIdentifier(key: KeyObject): string {
  const [, bits] = children(spki(key));
  if (typeof bits?.value !== "string") throw new Error("it is no public key");
  // The first byte says how many bits of the last one are unused: none.
  return createHash("sha1")
    .update(Buffer.from(bits.value.slice(1), "latin1"))
    .digest("binary");
}

/** What DER says; bit strings stay the bytes that they are. */
export function decode(bytes: string | Buffer): Asn1 {
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
  // forge's types know only the first of its options.
  const read = asn1.fromDer as unknown as (der: string, given: typeof options) => Asn1;
  return read(typeof bytes === "string" ? bytes : bytes.toString("latin1"), options);
}

export function sequence(...values: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, values);
}

export function set(...values: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, values);
}

/** `value`: bytes as a latin1 text. */
export function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, value);
}

/** `value`: bytes as a latin1 text. */
export function octets(value: string): Asn1 {
  return primitive(Type.OCTETSTRING, value);
}

export function oid(id: string): Asn1 {
  return primitive(Type.OID, asn1.oidToDer(id).getBytes());
}

/** A context-specific value that holds others, or bytes as a latin1 text. */
export function tagged(tag: number, ...values: Asn1[] | [string]): Asn1 {
  const [first] = values;
  return typeof first === "string"
    ? asn1.create(Class.CONTEXT_SPECIFIC, tag, false, first)
    : asn1.create(Class.CONTEXT_SPECIFIC, tag, true, values as Asn1[]);
}

export function children(node: Asn1 | undefined): Asn1[] {
  if (!Array.isArray(node?.value)) throw new Error("it is no DER of X.509");
  return node.value;
}

function signed(body: Asn1, key: KeyObject, label: string): string {
  const { identifier, digest } = signatureAlgorithm(key);
  const signature = sign(digest, der(body), key).toString("latin1");
  const whole = der(sequence(body, identifier, primitive(Type.BITSTRING, `\0${signature}`)));
  const lines = whole.toString("base64").replaceAll(/.{64}(?=.)/g, "$&\n");
  // Line feeds only: these texts go into kubeconfigs and onto Linux hosts.
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function signatureAlgorithm(key: KeyObject): { identifier: Asn1; digest: string | null } {
  if (key.asymmetricKeyType === "ed25519") return { identifier: sequence(oid("1.3.101.112")), digest: null };
  if (key.asymmetricKeyType === "rsa") {
    return { identifier: sequence(oid("1.2.840.113549.1.1.11"), primitive(Type.NULL, "")), digest: "sha256" };
  }
  return algorithmOf(key) === "ECDSA-P384"
    ? { identifier: sequence(oid("1.2.840.10045.4.3.3")), digest: "sha384" }
    : { identifier: sequence(oid("1.2.840.10045.4.3.2")), digest: "sha256" };
}

function spki(key: KeyObject): Asn1 {
  return decode(key.export({ type: "spki", format: "der" }));
}

/** UTCTime has two digits for the year, and RFC 5280 reads them as 1950 to 2049. */
function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

function der(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}
