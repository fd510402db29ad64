import assert from "node:assert/strict";
import { test } from "node:test";
import { checksumFor, parseChecksums } from "../../../builder/sources/checksum-file.ts";

const a = "a".repeat(64);
const b = "b".repeat(64);
const c = "c".repeat(128);

test("GNU, binary, BSD and bare forms are read, and anything else passed over", () => {
  const text = `# list\n${a}  one.tar.gz\r\n${b} *./dir/two\nSHA512 (three) = ${c.toUpperCase()}\n${"d".repeat(40)}  sha1\n\n`;
  assert.deepEqual(parseChecksums(text), [
    { digest: `sha256:${a}`, name: "one.tar.gz" },
    { digest: `sha256:${b}`, name: "./dir/two" },
    { digest: `sha512:${c}`, name: "three" },
  ]);
});

test("a file's digest is found by its name, whatever folder the list gives it", () => {
  const text = `${a}  one\n${b}  dir/two\n`;
  assert.equal(checksumFor(text, "https://x.example/v1/two?download=1"), `sha256:${b}`);
  assert.equal(checksumFor(text, "https://x.example/v1/three"), null);
});

test("a digest alone speaks of the file beside it, but not in a list of names", () => {
  assert.equal(checksumFor(`${a}\n`, "https://x.example/kubectl"), `sha256:${a}`);
  assert.equal(checksumFor(a, "https://x.example/kubectl"), `sha256:${a}`);
  assert.equal(checksumFor(`${a}\n${b}\n`, "https://x.example/kubectl"), null);
  assert.equal(checksumFor(`${a}  other\n`, "https://x.example/kubectl"), null);
});

test("a list that gives two digests for a file gives none", () => {
  assert.equal(checksumFor(`${a}  x\n${b}  y/x\n`, "https://x.example/x"), null);
  assert.equal(checksumFor(`${a}  x\n${c}  x\n`, "https://x.example/x"), `sha256:${a}`);
});

test("only what a clear signature covers is read: not its header, not what stands around it", () => {
  const text = [
    `${b}  runc.amd64`,
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "Hash: SHA512",
    "",
    `${a}  runc.amd64`,
    `- ${c}  -odd`,
    "-----BEGIN PGP SIGNATURE-----",
    "",
    b,
    "-----END PGP SIGNATURE-----",
    `${b}  runc.amd64`,
  ].join("\n");
  assert.equal(checksumFor(text, "https://x.example/runc.amd64"), `sha256:${a}`);
  assert.deepEqual(
    parseChecksums(text).map(({ name }) => name),
    ["runc.amd64", "-odd"],
  );
});
