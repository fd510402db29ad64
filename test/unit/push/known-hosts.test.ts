/** known_hosts as ssh-keygen itself writes and reads it, and a host's key judged by it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hostKeysOf } from "../../../builder/push/host-key.ts";
import { fingerprint, judge, knownKeys, preferred } from "../../../builder/push/known-hosts.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-known-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(name: string): { line: string; bytes: Buffer } {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  const [type = "", encoded = ""] = readFileSync(join(folder, `${name}.pub`), "utf8").split(" ");
  return { line: `${type} ${encoded}`, bytes: Buffer.from(encoded, "base64") };
}
const ours = makeKey("ours");
const other = makeKey("other");

test("a file that ssh-keygen -H hashed knows the same hosts as before", () => {
  const plain = join(folder, "known");
  writeFileSync(plain, `n1,10.0.0.1 ${ours.line}\n[10.0.0.2]:2222 ${other.line}\n`);
  const hashed = join(folder, "hashed");
  copyFileSync(plain, hashed);
  execFileSync("ssh-keygen", ["-q", "-H", "-f", hashed], { stdio: "ignore" });
  const text = readFileSync(hashed, "utf8");
  assert.ok(!text.includes("10.0.0.1") && !text.includes("n1 "), text);
  for (const known of [readFileSync(plain, "utf8"), text]) {
    for (const name of ["n1", "10.0.0.1"]) assert.equal(judge(knownKeys(known, name, 22), ours.bytes), "known");
    assert.equal(judge(knownKeys(known, "10.0.0.2", 2222), other.bytes), "known");
    assert.equal(judge(knownKeys(known, "10.0.0.2", 22), other.bytes), "unknown", "another port is another host");
    assert.equal(judge(knownKeys(known, "n1", 22), other.bytes), "changed");
    assert.equal(judge(knownKeys(known, "n2", 22), ours.bytes), "unknown");
  }
});

test("patterns, exclusions, revoked keys and authorities are taken as ssh takes them", () => {
  const text = `# *.example.org ${ours.line}\n*.example.org,!old.example.org ${ours.line}\n@revoked * ${other.line}\n@cert-authority * ${ours.line}\n10.0.0.? ${ours.line}\n`;
  const of = (name: string, key: Buffer) => judge(knownKeys(text, name, 22), key);
  assert.equal(of("N1.example.org", ours.bytes), "known");
  assert.equal(of("old.example.org", ours.bytes), "unknown");
  assert.equal(of("n1.example.org", other.bytes), "revoked");
  assert.equal(of("10.0.0.7", ours.bytes), "known");
  assert.equal(of("10.0.0.77", ours.bytes), "unknown", "an authority's key is no host's");
  assert.equal(of("10x0.0.7", ours.bytes), "unknown", "a dot is a dot");
});

test("a refusal names file and line, both fingerprints as ssh-keygen prints them, and what to do", () => {
  const print = execFileSync("ssh-keygen", ["-lf", join(folder, "other.pub")], { encoding: "utf8" }).split(" ")[1];
  assert.equal(fingerprint(other.bytes), print);
  const keys = hostKeysOf(`\nn1 ${ours.line}\n`, "/etc/known", "n1", 22);
  assert.equal(keys.refusal(ours.bytes), null);
  const changed = keys.refusal(other.bytes);
  assert.equal(changed?.code, "HOST_KEY_CHANGED");
  assert.equal(changed?.where, "/etc/known:2");
  assert.match(changed?.expected ?? "", new RegExp(`^ssh-ed25519 ${fingerprint(ours.bytes).replaceAll("+", "\\+")}$`));
  assert.equal(changed?.found, `ssh-ed25519 ${fingerprint(other.bytes)}`);
  const unknown = hostKeysOf("", "/etc/known", "n1", 2222).refusal(other.bytes);
  assert.equal(unknown?.code, "HOST_KEY_UNKNOWN");
  assert.match(unknown?.hint ?? "", /ssh-keyscan -p 2222 n1 >> \/etc\/known$/);
});

test("a host is asked first for a key of the type that is known of it", () => {
  const known = knownKeys("n1 ssh-rsa AAAA\n", "n1", 22);
  assert.deepEqual(preferred(known).slice(0, 3), ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
  assert.equal(preferred([])[0], "ssh-ed25519");
});
