import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { digestOf, rotationSteps } from "#bundle";
import { isExpected } from "#cli/errors";
import { authorityOf, leafOf } from "../../../builder/components/credentials.ts";
import { openPki } from "../../../builder/pki/authority.ts";
import { generations, lastStep, nextStep, readRotation, rotatable, rotate } from "../../../builder/pki/rotation.ts";
import { openVault } from "../../../builder/pki/vault.ts";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { filesOf, textOf } from "../../builders/placed-node.ts";

const now = new Date("2026-11-22T10:00:00Z");
const yaml = `
name: plant
release: kubernetes-1.36
certificates: { algorithm: ECDSA-P256 }
nodes:
  - { name: n1, ip: 10.0.0.1, roles: [etcd, master, worker] }
`;

async function folder(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), "kubeferry-rotation-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const cluster = await fixtureCluster(yaml);
  const dir = join(path, "plant.pki");
  return { dir, cluster, open: () => openPki(dir, cluster.topology, now), vault: await openVault(dir) };
}

test("three steps lead from one generation to the next, and then again", () => {
  const table = [[1], [1, 2], [2, 1], [2], [2, 3], [3, 2], [3]];
  for (const [taken, wanted] of table.entries()) {
    assert.deepEqual(generations(taken === 0 ? {} : { "etcd-ca": taken }, "etcd-ca"), wanted);
    assert.equal(nextStep({ "etcd-ca": taken }, "etcd-ca"), rotationSteps[taken % 3]);
    assert.equal(lastStep({ "etcd-ca": taken + 1 }, "etcd-ca"), rotationSteps[taken % 3]);
  }
  assert.equal(lastStep({}, "etcd-ca"), null);
});

test("a step is taken once and in its turn, for the named keys alone; nothing is ever overwritten", async (t) => {
  const { dir, cluster, open, vault } = await folder(t);
  const { topology } = cluster;
  await open();
  for (const step of ["reissue", "drop"] as const) {
    await assert.rejects(rotate(vault, topology, ["etcd-ca"], step), (error) => {
      assert.ok(isExpected(error, "USAGE"));
      assert.match(error.message, /etcd-ca is not ready for the step \w+: trust comes first/);
      return true;
    });
  }
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith("rotation")),
    [],
  );
  assert.deepEqual(await rotate(vault, topology, ["etcd-ca"], "trust"), ["etcd-ca"]);
  assert.deepEqual(await rotate(vault, topology, ["etcd-ca"], "trust"), []);
  assert.deepEqual(await rotate(vault, topology, ["etcd-ca", "encryption-key"], "trust"), ["encryption-key"]);
  assert.deepEqual(await readRotation(vault), { "etcd-ca": 1, "encryption-key": 1 });
  await assert.rejects(rotate(vault, topology, ["etcd-ca"], "drop"), /reissue comes first/);
  await assert.rejects(rotate(vault, topology, ["front-proxy-ca"], "reissue"), /trust comes first/);
  writeFileSync(join(dir, "rotation.3.json"), '{"etcd-ca":-1}\n', { mode: 0o600 });
  await assert.rejects(open(), /does not say how far a rotation is/);
});

test("leaves follow the CA that signs, everything trusts both, and the old ones are gone in the end", async (t) => {
  const { cluster, open, vault } = await folder(t);
  const first = await open();
  assert.equal(first.keys, undefined);
  assert.equal(renderFixture(cluster, first).keys, undefined, "the index of a cluster that never rotated says nothing");
  const old = authorityOf(first, "kubernetes").certificate;
  const serial = (pki: typeof first): string => leafOf(pki, "n1", "kube-apiserver").certificate;
  const seen: Record<string, typeof first> = {};
  for (const step of rotationSteps) {
    await rotate(vault, cluster.topology, rotatable, step);
    seen[step] = await open();
    assert.deepEqual(await open(), { ...seen[step], notes: [] }, "the next build makes the very same");
  }
  const { trust, reissue, drop } = seen;
  assert.ok(trust && reissue && drop);
  const next = authorityOf(drop, "kubernetes").certificate;
  assert.equal(new X509Certificate(next).subject, "CN=kubernetes-ca-2\nO=plant");
  assert.equal(serial(trust), serial(first));
  assert.notEqual(serial(reissue), serial(trust));
  assert.equal(serial(drop), serial(reissue));
  assert.ok(new X509Certificate(serial(drop)).verify(new X509Certificate(next).publicKey));

  const textIn = (pki: typeof first, path: string): string => textOf(renderFixture(cluster, pki), "n1", path);
  const pem = "/etc/kubernetes/pki/ca.pem";
  assert.equal(textIn(trust, pem), old + next);
  assert.equal(textIn(reissue, pem), next + old);
  assert.equal(textIn(drop, pem), next);
  assert.equal(textIn(trust, "/etc/kubernetes/pki/ca-signing.pem"), old, "a controller-manager takes one alone");
  assert.equal(textIn(reissue, "/etc/kubernetes/pki/ca-signing.pem"), next);
  const paths = (pki: typeof first): string[] => filesOf(renderFixture(cluster, pki), "n1").map(({ path }) => path);
  assert.deepEqual(paths(drop), paths(first));
  // Who knows the old CA only can still check servers.
  const crossed = new X509Certificate(leafOf(reissue, "n1", "kube-apiserver").chain);
  assert.ok(crossed.verify(new X509Certificate(old).publicKey) && crossed.ca);
  assert.equal(crossed.subject, "CN=kubernetes-ca-2\nO=plant");
  assert.equal(leafOf(drop, "n1", "kube-apiserver").chain, "");
  assert.equal(leafOf(reissue, "n1", "admin").chain, "");

  assert.deepEqual(trust.keys?.["kubernetes-ca"], { step: "trust", trusted: [digestOf(old), digestOf(next)] });
  assert.deepEqual(drop.keys?.["kubernetes-ca"], { step: "drop", trusted: [digestOf(next)] });
  assert.deepEqual(reissue.keys?.["encryption-key"], { step: "reissue", trusted: ["key2", "key1"] });
  const [key1 = "", key2 = ""] = trust.encryptionKeys.map(({ key }) => key);
  const config = "/etc/kubernetes/encryption-config.yaml";
  assert.ok(textIn(trust, config).indexOf(key1) < textIn(trust, config).indexOf(key2));
  assert.ok(textIn(reissue, config).indexOf(key2) < textIn(reissue, config).indexOf(key1));
  assert.ok(!textIn(drop, config).includes(key1));
  const publicKeys = [drop, first].map(({ serviceAccount }) => serviceAccount.publicKeys[0] ?? "");
  assert.equal(textIn(reissue, "/etc/kubernetes/pki/sa.pub"), publicKeys.join(""));
  // Whoever joins now takes the CA's file over into its own kubeconfig; those that are there are led to it.
  assert.match(
    textIn(drop, "/etc/kubernetes/kubelet-bootstrap.kubeconfig"),
    /certificate-authority: \/etc\/kubernetes\/pki\/ca\.pem/,
  );
  assert.ok(renderFixture(cluster, trust).written.some(({ trusts }) => trusts === pem));
});
