import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { type SigningKey, checkSignature, formatPublicKey, parsePublicKey, parseSigningKey, signSums } from "#bundle";

function key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { id: Buffer.from("0123456789abcdef", "hex"), key: publicKey, secret: privateKey };
}

const sums = Buffer.from(`${"0".repeat(64)}  install\n`);

test("a signature holds for the bytes that were signed and gives its comment", () => {
  const mine = key();
  const text = signSums(sums, mine, "payload:1");
  assert.equal(checkSignature(sums, text, parsePublicKey(formatPublicKey(mine)), "here"), "payload:1");
});

test("changed bytes, another key, and a changed comment are each found", () => {
  const mine = key();
  const text = signSums(sums, mine, "payload:1");
  const invalid = { code: "SIGNATURE_INVALID" };
  assert.throws(() => checkSignature(Buffer.from("other"), text, mine, "here"), invalid);
  assert.throws(() => checkSignature(sums, text, key(), "here"), invalid);
  assert.throws(() => checkSignature(sums, text.replace("payload:1", "payload:2"), mine, "here"), invalid);
  const renamed = { ...key(), id: Buffer.alloc(8) };
  assert.throws(() => checkSignature(sums, text, renamed, "here"), { ...invalid, found: "key EFCDAB8967452301" });
});

test("a signature with any line changed is refused", () => {
  const mine = key();
  const text = signSums(sums, mine, "payload:1");
  for (const broken of [
    "",
    "x",
    text.slice(0, -1),
    `${text}\n`,
    text.replace("trusted comment:", "trusted  comment:"),
  ]) {
    assert.throws(() => checkSignature(sums, broken, mine, "here"), { code: "SIGNATURE_INVALID" });
  }
});

test("a public key that is cut or of another kind is refused", () => {
  for (const text of ["", "RW", "untrusted comment: x\nabc"]) {
    assert.throws(() => parsePublicKey(text), { code: "SIGNATURE_INVALID" });
  }
  assert.throws(() => parseSigningKey("RWQ", null), { code: "SIGNATURE_INVALID" });
});
