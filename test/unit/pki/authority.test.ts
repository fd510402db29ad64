import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isExpected } from "#cli/errors";
import type { Topology } from "../../../builder/config/topology.ts";
import type { Pki } from "../../../builder/components/credentials.ts";
import { openPki, renewBefore } from "../../../builder/pki/authority.ts";
import { fixtureCluster } from "../../builders/fixture-cluster.ts";

const now = new Date("2026-11-21T10:00:00Z");
const day = 86_400_000;
const later = (days: number): Date => new Date(now.getTime() + days * day);

const one = `
name: plant
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.0.0.1, roles: [etcd, master, worker] }
  - { name: n2, ip: 10.0.0.2, roles: [worker] }
workers: { subnet: 10.0.0.0/24 }
`;

async function shape(text = one): Promise<Topology> {
  return (await fixtureCluster(text)).topology;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "kubeferry-pki-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "plant.pki");
}

function files(dir: string): Map<string, string> {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path, readFileSync(path, "utf8")]),
  );
}

function secrets(pki: Pki): unknown {
  return [pki.authorities, pki.leaves, pki.serviceAccount, pki.encryptionKeys, [...pki.tokens]];
}

test("keys are made once: a second build takes the very same, and writes nothing", async (t) => {
  const dir = folder(t);
  const first = await openPki(dir, await shape(), now);
  const before = files(dir);
  const second = await openPki(dir, await shape(), later(30));
  assert.deepEqual(secrets(second), secrets(first));
  assert.deepEqual(files(dir), before);
  assert.deepEqual(second.notes, []);
});

test("the directory is 0700, every file 0600", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const path of files(dir).keys()) assert.equal(statSync(path).mode & 0o777, 0o600, path);
});

test("a directory that others may read is refused, with the command that closes it", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  chmodSync(dir, 0o750);
  await assert.rejects(openPki(dir, await shape(), now), (error) => {
    assert.ok(isExpected(error, "PKI_INVALID"));
    assert.equal(error.hint, `chmod 0700 ${dir}`);
    return true;
  });
});

test("a directory that a crash left half made is continued, and what is there is kept", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  const before = files(dir);
  rmSync(join(dir, "n1/kube-scheduler.1.pem"));
  rmSync(join(dir, "sa.pem"));
  writeFileSync(join(dir, "n1/.999999999.0123456789ab.tmp"), "half a key");
  await openPki(dir, await shape(), now);
  const after = files(dir);
  assert.deepEqual([...after.keys()].toSorted(), [...before.keys()].toSorted());
  const changed = [...after]
    .filter(([path, text]) => before.get(path) !== text)
    .map(([path]) => path.slice(dir.length + 1));
  assert.deepEqual(changed.toSorted(), ["n1/kube-scheduler.1.pem", "sa.pem"]);
});

test("two builds at once end with one set of keys", async (t) => {
  const dir = folder(t);
  const topology = await shape();
  const [a, b] = await Promise.all([openPki(dir, topology, now), openPki(dir, topology, now)]);
  assert.deepEqual(secrets(a), secrets(b));
});

test("a certificate whose names no longer match is reissued beside the old one, by the same CA, and said", async (t) => {
  const dir = folder(t);
  const first = await openPki(dir, await shape(), now);
  const second = await openPki(dir, await shape(`${one}api: { sans: [api.example] }\n`), now);
  assert.deepEqual(second.authorities, first.authorities);
  assert.equal(second.notes.length, 1);
  assert.match(second.notes[0] ?? "", /^reissued kube-apiserver of n1: its names were .*, wanted are .*api\.example/);
  assert.ok(files(dir).has(join(dir, "n1/kube-apiserver.1.pem")), "the old one is kept");
  assert.ok(files(dir).has(join(dir, "n1/kube-apiserver.2.pem")));
  const others = (pki: Pki): unknown => pki.leaves.filter(({ name }) => name !== "kube-apiserver");
  assert.deepEqual(others(second), others(first));
});

test("a certificate for IPv6 addresses is not made anew by the next build", async (t) => {
  const dir = folder(t);
  const six = `${one}api: { sans: ["FD00:64:3:0::100", "::1"] }\n`;
  const first = await openPki(dir, await shape(six), now);
  const { sans = [] } = first.leaves.find(({ name }) => name === "kube-apiserver") ?? {};
  assert.ok(sans.includes("fd00:64:3::100") && sans.includes("::1"), sans.join(" "));
  const { notes, leaves } = await openPki(dir, await shape(six), now);
  assert.deepEqual(notes, []);
  assert.deepEqual(leaves, first.leaves);
});

test("another group of administrators makes their certificates anew, and no other's", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  const { notes, leaves } = await openPki(dir, await shape(`${one}certificates: { administrators: plant-2 }\n`), now);
  assert.equal(leaves.find(({ name }) => name === "admin")?.subject, "CN=admin, O=plant-2");
  assert.deepEqual(notes, [
    "reissued admin of n1: its subject was CN=admin, O=kubeferry:administrators, wanted is CN=admin, O=plant-2",
  ]);
});

test("certificates and tokens near their end are reissued, once", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  const when = later(1095 - renewBefore(1095) + 1);
  const renewed = await openPki(dir, await shape(), when);
  assert.ok(renewed.notes.some((note) => /^reissued etcd of n1: it ends in \d+ days$/.test(note)));
  assert.ok(renewed.notes.some((note) => note.startsWith("reissued bootstrap token of n2")));
  assert.deepEqual((await openPki(dir, await shape(), when)).notes, []);
});

test("no leaf outlives its CA, and a CA that has ended is refused", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  const pki = await openPki(dir, await shape(), later(3650 - 200));
  for (const leaf of pki.leaves) {
    const ca = pki.authorities.find(({ name }) => name === leaf.authority);
    assert.ok(ca !== undefined && leaf.notAfter <= ca.notAfter, `${leaf.node} ${leaf.name}`);
  }
  assert.ok(pki.notes.some((note) => /^kubernetes-ca ends in \d+ days: kubeferry pki rotate/.test(note)));
  await assert.rejects(openPki(dir, await shape(), later(3650 + 1)), (error) => isExpected(error, "PKI_INVALID"));
});

test("a certificate is for nothing but its use, and no leaf has a CA's name", async (t) => {
  const pki = await openPki(folder(t), await shape(), now);
  const names = new Set(pki.authorities.map(({ subject }) => subject));
  const usages = new Map<string, string[]>();
  for (const leaf of pki.leaves) {
    const parsed = new X509Certificate(leaf.certificate);
    assert.equal(parsed.ca, false);
    assert.ok(!names.has(leaf.subject), leaf.subject);
    usages.set(leaf.name, parsed.keyUsage ?? []);
  }
  const server = "1.3.6.1.5.5.7.3.1";
  const client = "1.3.6.1.5.5.7.3.2";
  assert.deepEqual(usages.get("kube-apiserver"), [server]);
  assert.deepEqual(usages.get("admin"), [client]);
  assert.deepEqual(usages.get("kube-proxy"), [client]);
  assert.deepEqual(usages.get("kube-apiserver-etcd-client"), [client]);
  assert.deepEqual(usages.get("etcd"), [server, client]);
});

test("every node has keys of its own", async (t) => {
  const pki = await openPki(folder(t), await shape(), now);
  const keys = [...pki.leaves, ...pki.authorities].map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual([...pki.tokens.keys()], ["n1", "n2", "worker"]);
  assert.equal(new Set([...pki.tokens.values()].map(({ secret }) => secret)).size, 3);
});

test("secrets that guides have published are refused", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  writeFileSync(join(dir, "n2/bootstrap.2.token"), "abcdef.0123456789abcdef 2030-01-01T00:00:00.000Z\n");
  await assert.rejects(openPki(dir, await shape(), now), (error) => {
    assert.ok(isExpected(error, "PKI_INVALID"));
    assert.match(error.message, /published/);
    assert.doesNotMatch(error.message, /0123456789abcdef/);
    return true;
  });
});

test("a damaged file is named, never replaced", async (t) => {
  const dir = folder(t);
  await openPki(dir, await shape(), now);
  const path = join(dir, "kubernetes-ca.pem");
  writeFileSync(path, "rubbish");
  await assert.rejects(
    openPki(dir, await shape(), now),
    (error) => isExpected(error, "PKI_INVALID") && error.where === path,
  );
  assert.equal(readFileSync(path, "utf8"), "rubbish");
});
