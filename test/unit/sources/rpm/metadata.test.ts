import { Readable } from "node:stream";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { readPrimary, readRepomd } from "../../../../builder/sources/rpm/metadata.ts";
import { binaryKeys } from "../../../../builder/sources/rpm/packages.ts";

const hex = "0".repeat(64);

function primary(inside: string, location = "p/tool-1.rpm", checksum = "sha256"): string {
  return `<?xml version="1.0"?><metadata xmlns:rpm="r"><package type="rpm"><name>tool</name><arch>x86_64</arch>
<version epoch="1" ver="2" rel="3"/><checksum type="${checksum}" pkgid="YES">${hex}</checksum>
<size package="7" installed="9"/><location href="${location}"/><format>${inside}</format></package></metadata>`;
}

const readText = (text: string) => readPrimary(Readable.from([Buffer.from(text)]), "test");

test("a package is read with what it provides and requires", async () => {
  const [found, ...more] = await readText(
    primary(`<rpm:provides><rpm:entry name="tool" flags="EQ" epoch="1" ver="2" rel="3"/></rpm:provides>
<rpm:requires><rpm:entry name="lib &amp; more"/></rpm:requires><file>/usr/bin/tool</file>`),
  );
  assert.deepEqual(more, []);
  const evr = { epoch: 1, version: "2", release: "3" };
  assert.deepEqual(found, {
    name: "tool",
    arch: "x86_64",
    evr,
    digest: hex,
    size: 7,
    path: "p/tool-1.rpm",
    provides: [{ name: "tool", flags: "EQ", evr }],
    requires: [{ name: "lib & more", flags: null, evr: null }],
    files: ["/usr/bin/tool"],
  });
});

test("metadata that leads outside the repository, has a weak digest, or is no XML, is refused", async () => {
  const rows = [
    [primary("", "../../etc/passwd"), "PATH_ESCAPES"],
    [primary("", "/etc/passwd"), "PATH_ESCAPES"],
    [primary("", "https://evil/x.rpm"), "PATH_ESCAPES"],
    [primary("", "x.rpm", "sha1"), "SIGNATURE_INVALID"],
    [primary("").replace(">tool<", ">--root=/<"), "FORMAT_INVALID"],
    [primary("").replace('package="7"', 'package="-7"'), "FORMAT_INVALID"],
    [primary("").slice(0, 200), "FORMAT_INVALID"],
    ["<a><b></a>", "FORMAT_INVALID"],
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><metadata>&e;</metadata>', "FORMAT_INVALID"],
  ] as const;
  for (const [text, code] of rows) {
    await assert.rejects(readText(text), (error) => {
      assert.ok(isExpected(error), `${text}: ${String(error)}`);
      assert.equal(error.code, code, text);
      return true;
    });
  }
  await assert.rejects(readRepomd(Readable.from([Buffer.from("<repomd/>")]), "test"), (error) =>
    isExpected(error, "FORMAT_INVALID"),
  );
});

test("an armoured key becomes its bytes, a binary one stays", () => {
  const bytes = Buffer.from([0x99, 1, 2, 3, 250, 251]);
  const armoured = `-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n${bytes.toString("base64")}\n=aBcD\n-----END PGP PUBLIC KEY BLOCK-----\n`;
  assert.deepEqual(binaryKeys(Buffer.from(armoured)), bytes);
  assert.deepEqual(binaryKeys(Buffer.from(armoured + armoured)), Buffer.concat([bytes, bytes]));
  assert.deepEqual(binaryKeys(Buffer.from(armoured.replaceAll("\n", "\r\n"))), bytes);
  assert.deepEqual(binaryKeys(bytes), bytes);
});
