/** Keys that sign, in minisign's own files: made here or by `minisign -G`, encrypted with a password or not. */
import { type KeyObject, createPrivateKey, createPublicKey, randomBytes, scryptSync, sign } from "node:crypto";
import { blake2b } from "@noble/hashes/blake2.js";
import { commentPrefix, decodeLine, keyName, malformed, prehash, publicKey, type PublicKey } from "#bundle";
import { ExpectedError } from "#cli/errors";

export interface SigningKey extends PublicKey {
  readonly secret: KeyObject;
}

const secretPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
/** libsodium's limits for a password: what minisign itself writes. */
const sensitive = { operations: 2 ** 25, memory: 2 ** 30 };

/**
 * A secret key file (158 bytes in base64): "Ed", "Sc" or nothing, "B2", 32 bytes of salt, two limits, then under the
 * password's stream the key's name (8), its seed and public half (64) and their checksum (32).
 */
export function formatSecretKey({ id, key, secret }: SigningKey, password: string | null): string {
  const seed = secret.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const body = Buffer.concat([id, seed, rawOf(key), checksum(id, seed, rawOf(key))]);
  const salt = randomBytes(32);
  const limits = Buffer.alloc(16);
  if (password !== null) {
    limits.writeBigUInt64LE(BigInt(sensitive.operations), 0);
    limits.writeBigUInt64LE(BigInt(sensitive.memory), 8);
  }
  const head = Buffer.concat([Buffer.from(password === null ? "Ed\0\0B2" : "EdScB2"), salt, limits]);
  const sealed = password === null ? body : withStream(body, password, salt, sensitive);
  const what = password === null ? "minisign secret key" : "minisign encrypted secret key";
  return `untrusted comment: ${what} ${keyName(id)}\n${Buffer.concat([head, sealed]).toString("base64")}\n`;
}

/** Reads minisign's secret key file; `password` for one that is encrypted. SIGNATURE_INVALID, KEY_MISSING, KEY_WRONG. */
export function parseSigningKey(text: string, password: string | null, where = "the secret key"): SigningKey {
  const bytes = secretBytes(text, where);
  const kind = bytes.toString("latin1", 0, 6);
  let body = bytes.subarray(54);
  if (kind === "EdScB2") {
    if (password === null) {
      throw new ExpectedError("KEY_MISSING", "this secret key is encrypted and no password was given", {
        where,
        hint: "run it on a terminal, which asks for the password, or set KUBEFERRY_PASSWORD",
      });
    }
    body = withStream(body, password, bytes.subarray(6, 38), limitsOf(bytes, where));
  } else if (kind !== "Ed\0\0B2") {
    throw malformed(where, "it is not a secret key of minisign");
  }
  const [id, seed, raw] = [body.subarray(0, 8), body.subarray(8, 40), body.subarray(40, 72)];
  const key = signingKey(id, seed);
  // minisign itself leaves the checksum of a key without a password empty.
  const sum = body.subarray(72);
  const whole = checksum(id, seed, raw).equals(sum) || (kind !== "EdScB2" && sum.every((byte) => byte === 0));
  if (whole && rawOf(key.key).equals(raw)) return key;
  throw new ExpectedError("KEY_WRONG", "the password does not open this secret key", {
    where,
    hint: "run it again; where KUBEFERRY_PASSWORD is set, it is taken as the password",
  });
}

/** Whether a secret key file wants a password. SIGNATURE_INVALID. */
export function isEncrypted(text: string, where: string): boolean {
  return secretBytes(text, where).toString("latin1", 2, 4) === "Sc";
}

/** A new key with a name by chance. */
export function newSigningKey(): SigningKey {
  return signingKey(randomBytes(8), randomBytes(32));
}

/** The text of SHA256SUMS.minisig. `comment` is signed too and shown when the signature is checked. USAGE unless one line. */
export function signSums(sums: Uint8Array, { id, secret }: SigningKey, comment: string): string {
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(comment) || comment.length > 8000) {
    throw new ExpectedError("USAGE", "the comment of a signature is one line of text", {
      found: JSON.stringify(comment.slice(0, 80)),
      hint: "--comment 'for plant 7, release of November'",
    });
  }
  const own = sign(null, prehash(sums), secret);
  const trusted = sign(null, Buffer.concat([own, Buffer.from(comment, "utf8")]), secret);
  const line = Buffer.concat([Buffer.from("ED"), id, own]).toString("base64");
  return `untrusted comment: signature of a Kubeferry bundle\n${line}\n${commentPrefix}${comment}\n${trusted.toString("base64")}\n`;
}

function signingKey(id: Buffer, seed: Buffer): SigningKey {
  const secret = createPrivateKey({ key: Buffer.concat([secretPrefix, seed]), format: "der", type: "pkcs8" });
  return { ...publicKey(id, rawOf(createPublicKey(secret))), secret };
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

/** BLAKE2b-256, which Node's OpenSSL cannot be asked for: it is no part of BLAKE2b-512. */
function checksum(id: Buffer, seed: Buffer, raw: Buffer): Buffer {
  return Buffer.from(blake2b(Buffer.concat([Buffer.from("Ed"), id, seed, raw]), { dkLen: 32 }));
}

function secretBytes(text: string, where: string): Buffer {
  return decodeLine(text.trim().split("\n").at(-1)?.trim() ?? "", 158, where);
}

interface Limits {
  readonly operations: number;
  readonly memory: number;
}

function limitsOf(bytes: Buffer, where: string): Limits {
  const operations = Number(bytes.readBigUInt64LE(38));
  const memory = Number(bytes.readBigUInt64LE(46));
  // minisign's own are 2^25 and 2^30; a file that asks for more would only exhaust the machine.
  if (operations > 2 ** 26 || memory > 2 ** 30) throw malformed(where, "it asks for too much memory");
  return { operations, memory };
}

/** The 104 bytes of a key, under (or out of) a stream that scrypt makes of the password: libsodium's limits give N and p. */
function withStream(body: Buffer, password: string, salt: Buffer, { operations, memory }: Limits): Buffer {
  const few = operations < memory / 32;
  const largest = few ? Math.max(operations, 32768) / 32 : memory / 1024;
  let exponent = 1;
  while (2 ** exponent <= largest / 2) exponent += 1;
  const N = 2 ** exponent;
  const p = few ? 1 : Math.max(1, Math.floor(Math.floor(operations / 4 / N) / 8));
  const stream = scryptSync(password, salt, 104, { N, r: 8, p, maxmem: 256 * 8 * (N + p + 2) });
  return Buffer.from(body.map((byte, at) => byte ^ (stream[at] ?? 0)));
}
