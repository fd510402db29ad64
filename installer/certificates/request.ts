/** A PKCS#10 certificate request, read strictly: node-forge takes the DER apart, node:crypto checks who signed it. */
import { createPublicKey, verify } from "node:crypto";
import forge from "node-forge";
import { addressText } from "#formats/address";

/** All that a request asks for. What it asks for besides is in `others`. */
export interface CertificateRequest {
  /** Values of the subject's common names, and of its organizations. */
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  /** Names of what a node's certificate must not have: other names, other extensions, `CA:TRUE`. */
  readonly others: readonly string[];
}

type Node = forge.asn1.Asn1;

const { asn1 } = forge;
const oids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  extensions: "1.2.840.113549.1.9.14",
  names: "2.5.29.17",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  constraints: "2.5.29.19",
};
const digests: Readonly<Record<string, string>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
};

/** Throws a plain error that says what is wrong: not one PEM block, not PKCS#10, not signed by its own key. */
export function parseRequest(pem: string): CertificateRequest {
  const block =
    /^\s*-----BEGIN CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----\s*$/.exec(pem);
  if (block === null) throw new Error("it is not one PEM block of a certificate request");
  const der = Buffer.from(block[1] ?? "", "base64");
  const [info, algorithm, signature] = children(asn1.fromDer(der.toString("latin1")));
  if (info === undefined || algorithm === undefined || signature === undefined) throw new Error("it is no PKCS#10");
  const [version, subject, key, attributes] = children(info);
  if (version === undefined || subject === undefined || key === undefined) throw new Error("it is no PKCS#10");
  checkSignature(info, key, algorithm, signature);
  const { names, others: unknownNames } = readSubject(subject);
  const extensions = attributes === undefined ? [] : children(attributes).flatMap(readAttribute);
  const alternatives = extensions.filter(({ oid }) => oid === oids.names);
  const read = readNames(alternatives[0]?.value);
  const ids = extensions.map(({ oid }) => oid);
  return {
    commonNames: names.filter(({ oid }) => oid === oids.commonName).map(({ value }) => value),
    organizations: names.filter(({ oid }) => oid === oids.organization).map(({ value }) => value),
    dns: read.dns,
    ips: read.ips,
    others: [
      ...unknownNames,
      ...read.others,
      ...extensions.flatMap(({ oid, value }) => forbidden(oid, value)),
      ...(new Set(ids).size < ids.length ? ["an extension twice"] : []),
    ],
  };
}

function checkSignature(info: Node, key: Node, algorithm: Node, signature: Node): void {
  const digest = digests[oidOf(children(algorithm)[0])];
  if (digest === undefined) throw new Error("it is signed in a way that is not known");
  const publicKey = createPublicKey({ key: bytesOf(key), format: "der", type: "spki" });
  // The first byte of a bit string says how many bits of its last one are unused.
  const value = bitsOf(signature);
  if (!verify(digest, bytesOf(info), publicKey, value)) throw new Error("it is not signed by the key that it names");
}

function readSubject(subject: Node): { names: { oid: string; value: string }[]; others: string[] } {
  const names = children(subject)
    .flatMap(children)
    .map((pair) => {
      const [oid, value] = children(pair);
      return { oid: oidOf(oid), value: textOf(value) };
    });
  const known = [oids.commonName, oids.organization];
  return { names, others: names.filter(({ oid }) => !known.includes(oid)).map(({ oid }) => `subject field ${oid}`) };
}

/** The extensions that an attribute of the request asks for. */
function readAttribute(attribute: Node): { oid: string; value: Node }[] {
  const [type, values] = children(attribute);
  const oid = oidOf(type);
  if (oid !== oids.extensions) return [{ oid: `attribute ${oid}`, value: attribute }];
  return (values === undefined ? [] : children(values)).flatMap(children).map((extension) => {
    const parts = children(extension);
    const value = parts.at(-1);
    if (value === undefined || typeof value.value !== "string") throw new Error("an extension has no value");
    return { oid: oidOf(parts[0]), value: asn1.fromDer(value.value) };
  });
}

function readNames(names: Node | undefined): { dns: string[]; ips: string[]; others: string[] } {
  const found = { dns: [] as string[], ips: [] as string[], others: [] as string[] };
  for (const name of names === undefined ? [] : children(names)) {
    const tag: number = name.type;
    if (tag === 2) found.dns.push(textOf(name));
    else if (tag === 7) found.ips.push(addressOf(textOf(name)));
    else found.others.push(tag === 1 ? "an e-mail address" : tag === 6 ? "a URI" : `a name of kind ${tag}`);
  }
  return found;
}

/** Usages may be asked for here as well; the cluster takes them from the request's own list, which is judged. */
function forbidden(oid: string, value: Node): string[] {
  if (oid === oids.names || oid === oids.keyUsage || oid === oids.extendedKeyUsage) return [];
  if (oid !== oids.constraints) return [`extension ${oid.replace(/^attribute /, "")}`];
  const [ca] = children(value);
  const isAuthority = ca?.type === asn1.Type.BOOLEAN && textOf(ca) !== "\0";
  return isAuthority ? ["CA:TRUE"] : [];
}

function children(node: Node): Node[] {
  if (!Array.isArray(node.value)) throw new Error("it is no PKCS#10");
  return node.value;
}

function textOf(node: Node | undefined): string {
  if (typeof node?.value !== "string") throw new Error("a name is no text");
  return node.value;
}

function oidOf(node: Node | undefined): string {
  return asn1.derToOid(textOf(node));
}

function bytesOf(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}

function bitsOf(node: Node): Buffer {
  const der = bytesOf(node);
  const long = der[1] ?? 0;
  const start = (long & 0x80) === 0 ? 2 : 2 + (long & 0x7f);
  return der.subarray(start + 1);
}

/** Four bytes with dots; anything else as it is written, which no node's address is. */
function addressOf(bytes: string): string {
  const raw = Buffer.from(bytes, "latin1");
  if (raw.length !== 4 && raw.length !== 16) return raw.toString("hex");
  return addressText(BigInt(`0x${raw.toString("hex")}`), raw.length === 4 ? "ipv4" : "ipv6");
}
