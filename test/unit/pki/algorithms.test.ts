import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isExpected } from "#cli/errors";
import { algorithmOf, keyAlgorithms } from "#x509";
import { openPki, renewBefore } from "../../../builder/pki/authority.ts";
import { reissue } from "../../../installer/certificates/reissue.ts";
import { fixtureCluster } from "../../builders/fixture-cluster.ts";

const now = new Date("2026-11-21T10:00:00Z");
const day = 86_400_000;

const cluster = (certificates: string, release = "kubernetes-1.36"): string => `
name: plant
release: ${release}
certificates: ${certificates}
nodes:
  - { name: n1, ip: 10.0.0.1, roles: [etcd, master, worker] }
`;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "kubeferry-algorithms-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "plant.pki");
}

for (const algorithm of keyAlgorithms) {
  test(`${algorithm}: every CA and leaf has such a key, and one renewed on a node as well`, async (t) => {
    const { topology } = await fixtureCluster(cluster(`{ algorithm: ${algorithm} }`));
    const pki = await openPki(folder(t), topology, now);
    for (const { name, certificate, key } of [...pki.authorities, ...pki.leaves]) {
      assert.equal(algorithmOf(new X509Certificate(certificate).publicKey), algorithm, name);
      assert.match(key, /^-----BEGIN (RSA |EC |)PRIVATE KEY-----/);
    }
    const [leaf] = pki.leaves;
    const ca = pki.authorities.find(({ name }) => name === leaf?.authority);
    assert.ok(leaf !== undefined && ca !== undefined);
    const again = new X509Certificate((await reissue(leaf.certificate, ca, now)).certificate);
    const before = new X509Certificate(leaf.certificate);
    assert.equal(algorithmOf(again.publicKey), algorithm);
    assert.deepEqual([again.subject, again.subjectAltName], [before.subject, before.subjectAltName]);
    assert.notEqual(again.serialNumber, before.serialNumber);
    // Whoever signs service accounts' tokens is no certificate's: RS256 is what everybody takes.
    assert.match(pki.serviceAccount.privateKey, /RSA PRIVATE KEY/);
  });
}

test("lifetimes are those of cluster.yaml, beyond 2049 too", async (t) => {
  const { topology } = await fixtureCluster(cluster("{ caDays: 10950, days: 90, algorithm: ECDSA-P256 }"));
  const { authorities, leaves } = await openPki(folder(t), topology, now);
  for (const ca of authorities) assert.equal(ca.notAfter.getTime(), now.getTime() + 10_950 * day);
  for (const leaf of leaves) assert.equal(leaf.notAfter.getTime(), now.getTime() + 90 * day);
  assert.equal(renewBefore(90), 30);
});

test("a bootstrap token lives as long as cluster.yaml says, and one that lives longer is made anew", async (t) => {
  const dir = folder(t);
  const open = async (certificates: string, at = now) =>
    (await openPki(dir, (await fixtureCluster(cluster(certificates))).topology, at)).tokens.get("n1");
  const year = await open("{}");
  assert.equal(year?.expires.getTime(), now.getTime() + 365 * day);
  const days = await open("{ tokenDays: 3 }");
  assert.equal(days?.expires.getTime(), now.getTime() + 3 * day);
  assert.notEqual(days.id, year.id);
  assert.deepEqual(await open("{ tokenDays: 3 }", new Date(now.getTime() + day)), days);
  const later = new Date(now.getTime() + 2.5 * day);
  assert.equal((await open("{ tokenDays: 3 }", later))?.expires.getTime(), later.getTime() + 3 * day);
});

test("another algorithm later: the CA stays, leaves are made anew", async (t) => {
  const dir = folder(t);
  const first = await openPki(dir, (await fixtureCluster(cluster("{}"))).topology, now);
  const second = await openPki(dir, (await fixtureCluster(cluster("{ algorithm: ECDSA-P256 }"))).topology, now);
  assert.deepEqual(second.authorities, first.authorities);
  assert.ok(second.notes.includes("reissued etcd of n1: its key was RSA-2048, wanted is ECDSA-P256"));
});

test("Ed25519 is refused, with the reason, where a daemon cannot read it", async () => {
  for (const release of ["kubernetes-1.6", "kubernetes-1.11", "kubernetes-1.16"]) {
    await assert.rejects(fixtureCluster(cluster("{ algorithm: Ed25519 }", release)), (error) => {
      assert.ok(isExpected(error));
      assert.match(
        error.message,
        /Kubernetes 1\.\d+\.\d+ is built with a Go whose TLS knows no Ed25519; take ECDSA-P256/,
      );
      return true;
    });
  }
  await fixtureCluster(`${cluster("{ algorithm: Ed25519 }", "kubernetes-1.20")}network: { plugin: static-routes }\n`);
});

test("a certificate cannot be meant to outlive its CA", async () => {
  await assert.rejects(fixtureCluster(cluster("{ caDays: 400, days: 500 }")), /no certificate outlives its CA/);
});
