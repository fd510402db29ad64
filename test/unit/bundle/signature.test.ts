import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import {
  checkTrust,
  formatPublicKey,
  furtherSignaturePath,
  keyName,
  parsePublicKey,
  type PublicKey,
  trustIn,
} from "#bundle";
import { checkSignature } from "../../../installer/bundle/signature.ts";
import {
  formatSecretKey,
  isEncrypted,
  newSigningKey,
  parseSigningKey,
  type SigningKey,
  signSums,
} from "../../../builder/sign/secret-key.ts";

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

test("a secret key that was written is read again, with its password and with no other", () => {
  const mine = newSigningKey();
  const open = formatSecretKey(mine, null);
  assert.equal(isEncrypted(open, "here"), false);
  assert.ok(parseSigningKey(open, null).secret.equals(mine.secret));
  const sealed = formatSecretKey(mine, "a password");
  assert.equal(isEncrypted(sealed, "here"), true);
  assert.ok(parseSigningKey(sealed, "a password").id.equals(mine.id));
  assert.throws(() => parseSigningKey(sealed, "another"), { code: "KEY_WRONG" });
  assert.throws(() => parseSigningKey(sealed, null), { code: "KEY_MISSING" });
  // One bit of the checksum.
  const bytes = Buffer.from(open.trim().split("\n").at(-1) ?? "", "base64");
  bytes[157] = (bytes[157] ?? 0) ^ 1;
  assert.throws(() => parseSigningKey(bytes.toString("base64"), null), { code: "KEY_WRONG" });
});

test("a comment of more than one line cannot be signed", () => {
  for (const comment of ["two\nlines", "a\rreturn", "an \x1b[31mescape", "x\u2028y"]) {
    assert.throws(() => signSums(sums, newSigningKey(), comment), { code: "USAGE" });
  }
  const mine = newSigningKey();
  assert.equal(checkSignature(sums, signSums(sums, mine, "für Werk 7"), mine, "here"), "für Werk 7");
});

test("as many of the trusted keys as are asked for must have signed, each once", () => {
  const [one, two, three] = [newSigningKey(), newSigningKey(), newSigningKey()];
  const signed = (...keys: SigningKey[]): Map<string, string> =>
    new Map(
      keys.map((own, at) => [
        at === 0 ? "SHA256SUMS.minisig" : furtherSignaturePath(keyName(own.id)),
        signSums(sums, own, `by ${at}`),
      ]),
    );
  const check = (signatures: Map<string, string>, keys: PublicKey[], require: number): string[] =>
    checkTrust(sums, signatures, trustIn(keys, require, "the test"), "here").map(({ key: name }) => name);
  const invalid = { code: "SIGNATURE_INVALID" };
  assert.deepEqual(check(signed(one, two), [one, two, three], 2), [keyName(one.id), keyName(two.id)]);
  assert.deepEqual(check(signed(three, one), [one], 1), [keyName(one.id)]);
  assert.throws(() => check(signed(one, one), [one, two], 2), invalid);
  assert.throws(() => check(signed(one, three), [one, two], 2), invalid);
  assert.throws(() => check(new Map(), [one], 1), invalid);
  assert.throws(() => trustIn([one], 2, "the test"), { code: "USAGE" });
  assert.throws(() => trustIn([one, one], 2, "the test"), { code: "USAGE" });
  // A signature that claims to be of a trusted key and is not is never passed over.
  const forged = { ...three, id: two.id };
  assert.throws(() => check(signed(one, forged), [one, two], 1), invalid);
});

test("a further signature lies under the name of its own key, whoever asks", () => {
  const mine = key();
  const text = signSums(sums, mine, "payload:1");
  const asked = { keys: [mine], require: 1, from: "--public-key" };
  const at = (path: string): unknown => checkTrust(sums, new Map([[path, text]]), asked, "bundle.tar");
  for (const path of ["SHA256SUMS.minisig", "SHA256SUMS.EFCDAB8967452301.minisig"])
    assert.deepEqual(at(path), [{ key: "EFCDAB8967452301", comment: "payload:1" }]);
  assert.throws(() => at("SHA256SUMS.EFCDAB8967452300.minisig"), { code: "SIGNATURE_INVALID" });
});

test("minisign's own comment, with its tabs, is read; other control characters are not", () => {
  const mine = newSigningKey();
  const text = signSums(sums, mine, "a comment").replace("signature of a Kubeferry bundle", "signature\tfrom minisign");
  assert.equal(checkSignature(sums, text, mine, "here"), "a comment");
  assert.throws(() => checkSignature(sums, text.replace("\t", "\x1b[2K"), mine, "here"), { code: "SIGNATURE_INVALID" });
});
