/**
 * Signatures in minisign's format (Ed25519 over BLAKE2b-512), so that minisign itself can check and make them.
 * What is signed is SHA256SUMS, and with it every byte of the bundle.
 */
import { type KeyObject, createHash, createPrivateKey, createPublicKey, scryptSync, sign, verify } from "node:crypto";
import { ExpectedError } from "#kit/errors";

/** A public key with the 8 bytes that name it. */
export interface PublicKey {
  readonly id: Buffer;
  readonly key: KeyObject;
}

export interface SigningKey extends PublicKey {
  readonly secret: KeyObject;
}

const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");
const secretPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const commentPrefix = "trusted comment: ";

/** Reads minisign's public key: the file with its comment, or the one line alone. SIGNATURE_INVALID. */
export function parsePublicKey(text: string, where = "the public key"): PublicKey {
  const bytes = decodeLine(lastLine(text), 42, where);
  if (bytes.toString("latin1", 0, 2) !== "Ed") throw malformed(where, "it is not an Ed25519 key of minisign");
  return publicKey(bytes.subarray(2, 10), bytes.subarray(10));
}

/** The one line that minisign takes with -P. */
export function formatPublicKey({ id, key }: PublicKey): string {
  const raw = key.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  return Buffer.concat([Buffer.from("Ed"), id, raw]).toString("base64");
}

/** Reads minisign's secret key file; `password` for one that is encrypted. SIGNATURE_INVALID, KEY_MISSING, KEY_WRONG. */
export function parseSigningKey(text: string, password: string | null, where = "the secret key"): SigningKey {
  const bytes = decodeLine(lastLine(text), 158, where);
  const kind = bytes.toString("latin1", 0, 6);
  let body = bytes.subarray(54);
  if (kind === "EdScB2") {
    if (password === null) {
      throw new ExpectedError("KEY_MISSING", "this secret key is encrypted and no password was given", { where });
    }
    body = decryptKey(bytes, password, where);
  } else if (kind !== "Ed\0\0B2") {
    throw malformed(where, "it is not a secret key of minisign");
  }
  const id = body.subarray(0, 8);
  const seed = body.subarray(8, 40);
  const secret = createPrivateKey({ key: Buffer.concat([secretPrefix, seed]), format: "der", type: "pkcs8" });
  const key = createPublicKey(secret);
  // minisign keeps a checksum; that the seed gives the public half stored behind it proves the same.
  const stored = publicKey(id, body.subarray(40, 72));
  if (!key.equals(stored.key)) {
    throw new ExpectedError("KEY_WRONG", "the password does not open this secret key", { where });
  }
  return { id, key, secret };
}

/** The text of SHA256SUMS.minisig. `comment` is signed too and shown when the signature is checked; one line. */
export function signSums(sums: Uint8Array, signingKey: SigningKey, comment: string): string {
  const signature = sign(null, prehash(sums), signingKey.secret);
  const trusted = sign(null, Buffer.concat([signature, Buffer.from(comment, "utf8")]), signingKey.secret);
  const line = Buffer.concat([Buffer.from("ED"), signingKey.id, signature]).toString("base64");
  return `untrusted comment: signature of a Kubeferry bundle\n${line}\n${commentPrefix}${comment}\n${trusted.toString("base64")}\n`;
}

/** The trusted comment of a good signature of `sums`; SIGNATURE_INVALID with the reason otherwise. */
export function checkSignature(sums: Uint8Array, text: string, publicKey: PublicKey, where: string): string {
  const { id, algorithm, signature, comment, trusted } = parseSignature(text, where);
  if (!id.equals(publicKey.id)) {
    throw new ExpectedError("SIGNATURE_INVALID", "the bundle was signed with another key", {
      where,
      wanted: keyName(publicKey.id),
      found: keyName(id),
    });
  }
  const message = algorithm === "ED" ? prehash(sums) : Buffer.from(sums);
  if (!verify(null, message, publicKey.key, signature)) throw malformed(where, "SHA256SUMS is not what was signed");
  if (!verify(null, Buffer.concat([signature, Buffer.from(comment, "utf8")]), publicKey.key, trusted)) {
    throw malformed(where, "its trusted comment was changed");
  }
  return comment;
}

/** The parts of a signature file, unchecked. SIGNATURE_INVALID when it is not of the form. */
export function parseSignature(
  text: string,
  where: string,
): { id: Buffer; algorithm: string; signature: Buffer; comment: string; trusted: Buffer } {
  const [untrusted = "", line = "", comment = "", last = "", end, ...more] = text.split("\n");
  if (!untrusted.startsWith("untrusted comment: ") || !comment.startsWith(commentPrefix)) {
    throw malformed(where, "its lines are not those of minisign");
  }
  if (end !== "" || more.length > 0) throw malformed(where, "it has another number of lines");
  const bytes = decodeLine(line, 74, where);
  const trusted = decodeLine(last, 64, where);
  const algorithm = bytes.toString("latin1", 0, 2);
  if (algorithm !== "ED" && algorithm !== "Ed") throw malformed(where, "its algorithm is unknown");
  const parts = { id: bytes.subarray(2, 10), signature: bytes.subarray(10) };
  return { ...parts, algorithm, comment: comment.slice(commentPrefix.length), trusted };
}

/** A key's name as minisign prints it: the id as a little-endian number in hex. */
function keyName(id: Buffer): string {
  return `key ${id.readBigUInt64LE().toString(16).toUpperCase().padStart(16, "0")}`;
}

function publicKey(id: Buffer, raw: Buffer): PublicKey {
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: "der", type: "spki" });
  return { id, key };
}

function prehash(bytes: Uint8Array): Buffer {
  return createHash("blake2b512").update(bytes).digest();
}

/** The 104 bytes of the key, under a stream that scrypt makes of the password. Limits are libsodium's way to say N and p. */
function decryptKey(bytes: Buffer, password: string, where: string): Buffer {
  const operations = Number(bytes.readBigUInt64LE(38));
  const memory = Number(bytes.readBigUInt64LE(46));
  // minisign's own are 2^25 and 2^30; a file that asks for more would only exhaust the machine.
  if (operations > 2 ** 26 || memory > 2 ** 30) throw malformed(where, "it asks for too much memory");
  const few = operations < memory / 32;
  const largest = few ? Math.max(operations, 32768) / 32 : memory / 1024;
  let exponent = 1;
  while (2 ** exponent <= largest / 2) exponent += 1;
  const N = 2 ** exponent;
  const p = few ? 1 : Math.max(1, Math.floor(Math.floor(operations / 4 / N) / 8));
  const stream = scryptSync(password, bytes.subarray(6, 38), 104, { N, r: 8, p, maxmem: 256 * 8 * (N + p + 2) });
  return Buffer.from(bytes.subarray(54).map((byte, at) => byte ^ (stream[at] ?? 0)));
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}

function decodeLine(line: string, length: number, where: string): Buffer {
  const bytes = Buffer.from(line, "base64");
  // Node skips what is not base64; only the one spelling of these bytes is taken.
  if (bytes.length !== length || bytes.toString("base64") !== line) throw malformed(where, "a line is not base64");
  return bytes;
}

function malformed(where: string, why: string): ExpectedError {
  const hint = "ask who signed it for the bundle and the public key again";
  return new ExpectedError("SIGNATURE_INVALID", `the signature is not good: ${why}`, { where, hint });
}
