/**
 * Signatures in minisign's format (Ed25519 over BLAKE2b-512), so that minisign itself can check and make them.
 * What is signed is SHA256SUMS, and with it every byte of the bundle. Here they are only checked; keys that sign are
 * the builder's (builder/sign).
 */
import { type KeyObject, createHash, createPublicKey, verify } from "node:crypto";
import { ExpectedError } from "#cli/errors";

/** A public key with the 8 bytes that name it. */
export interface PublicKey {
  readonly id: Buffer;
  readonly key: KeyObject;
}

/** The parts of a signature file. */
export interface ParsedSignature {
  /** Of the key that it says it was made with. */
  readonly id: Buffer;
  readonly algorithm: "ED" | "Ed";
  readonly signature: Buffer;
  readonly comment: string;
  readonly trusted: Buffer;
}

const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");
export const commentPrefix = "trusted comment: ";

/** Reads minisign's public key: the file with its comment, or the one line alone. SIGNATURE_INVALID. */
export function parsePublicKey(text: string, where = "the public key"): PublicKey {
  const bytes = decodeLine(text.trim().split("\n").at(-1)?.trim() ?? "", 42, where);
  if (bytes.toString("latin1", 0, 2) !== "Ed") throw malformed(where, "it is not an Ed25519 key of minisign");
  return publicKey(bytes.subarray(2, 10), bytes.subarray(10));
}

/** Which of minisign's keys a file holds, by the bytes of its last line. Its comment is whatever somebody wrote (`minisign -G -c`). */
export function kindOfKey(text: string): "public" | "secret" | null {
  const { length } = Buffer.from(text.trim().split("\n").at(-1) ?? "", "base64");
  return length === 42 ? "public" : length === 158 ? "secret" : null;
}

/** A public key of its 32 raw bytes. */
export function publicKey(id: Buffer, raw: Buffer): PublicKey {
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: "der", type: "spki" });
  return { id, key };
}

/** The one line that minisign takes with -P. */
export function formatPublicKey({ id, key }: PublicKey): string {
  const raw = key.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  return Buffer.concat([Buffer.from("Ed"), id, raw]).toString("base64");
}

/** A key's name as minisign prints it: the id as a little-endian number, 16 hex digits. */
export function keyName(id: Buffer): string {
  return id.readBigUInt64LE().toString(16).toUpperCase().padStart(16, "0");
}

/** The trusted comment of a good signature of `sums`; SIGNATURE_INVALID with the reason otherwise. */
export function checkSignature(sums: Uint8Array, text: string, publicKey: PublicKey, where: string): string {
  const { id, algorithm, signature, comment, trusted } = parseSignature(text, where);
  if (!id.equals(publicKey.id)) {
    throw new ExpectedError("SIGNATURE_INVALID", "the bundle was signed with another key", {
      where,
      expected: `key ${keyName(publicKey.id)}`,
      found: `key ${keyName(id)}`,
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
export function parseSignature(text: string, where: string): ParsedSignature {
  const [untrusted = "", line = "", comment = "", last = "", end, ...more] = text.split("\n", 6);
  if (!untrusted.startsWith("untrusted comment: ") || !comment.startsWith(commentPrefix)) {
    throw malformed(where, "its lines are not those of minisign");
  }
  // The one is shown, and of the other nothing is signed. minisign's own comment has tabs.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(untrusted + comment))
    throw malformed(where, "a comment holds control characters");
  if (end !== "" || more.length > 0) throw malformed(where, "it has another number of lines");
  const bytes = decodeLine(line, 74, where);
  const trusted = decodeLine(last, 64, where);
  const algorithm = bytes.toString("latin1", 0, 2);
  if (algorithm !== "ED" && algorithm !== "Ed") throw malformed(where, "its algorithm is unknown");
  const parts = { id: bytes.subarray(2, 10), signature: bytes.subarray(10) };
  return { ...parts, algorithm, comment: comment.slice(commentPrefix.length), trusted };
}

/** What of a message is signed. */
export function prehash(bytes: Uint8Array): Buffer {
  return createHash("blake2b512").update(bytes).digest();
}

/** The bytes of a line of base64 in its one spelling. SIGNATURE_INVALID. */
export function decodeLine(line: string, length: number, where: string): Buffer {
  const bytes = Buffer.from(line, "base64");
  // Node skips what is not base64; only the one spelling of these bytes is taken.
  if (bytes.length !== length || bytes.toString("base64") !== line) throw malformed(where, "a line is not base64");
  return bytes;
}

/** SIGNATURE_INVALID for a signature or a key that is not of minisign's form. */
export function malformed(where: string, why: string): ExpectedError {
  const hint = "ask who signed it for the bundle and the public key again";
  return new ExpectedError("SIGNATURE_INVALID", `the signature is not good: ${why}`, { where, hint });
}
