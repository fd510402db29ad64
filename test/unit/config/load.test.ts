import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as z from "zod";
import { isExpected } from "#cli/errors";
import { loadClusterAndRelease, loadYaml, parseCluster } from "../../../builder/config/load.ts";

const small = "name: c\nrelease: distro\nnodes:\n  - { name: n1, ip: 10.0.0.11, roles: [etcd, control-plane] }\n";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "accepted",
    (error: unknown) => (isExpected(error) ? error.code : String(error)),
  );
}

test("a small cluster.yaml gets every default, and control-plane is master", async () => {
  const { cluster, manifest } = await parseCluster("cluster.yaml", small);
  assert.deepEqual(cluster.nodes[0]?.roles, ["etcd", "master"]);
  assert.equal(cluster.network.services, "10.254.0.0/16");
  assert.equal(cluster.api.endpoint, "first-master");
  assert.deepEqual(cluster.tools, []);
  assert.equal(manifest.release, "distro");
});

test("--release takes the place of the file's own release", async () => {
  const { cluster, manifest } = await parseCluster("cluster.yaml", small, "kubernetes-1.36");
  assert.equal(cluster.release, "kubernetes-1.36");
  assert.equal(manifest.kubernetes, "1.36.3");
});

test("a release by path counts from the folder of cluster.yaml", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kubeferry-load-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "cluster.yaml"), small.replace("distro", "./mine.yaml"));
  assert.equal(await codeOf(loadClusterAndRelease(join(folder, "cluster.yaml"))), "RELEASE_UNKNOWN");
  await writeFile(join(folder, "mine.yaml"), "release: mine\ngeneration: distro\n");
  assert.equal(await codeOf(loadClusterAndRelease(join(folder, "cluster.yaml"))), "RELEASE_INVALID");
  await writeFile(
    join(folder, "mine.yaml"),
    "release: mine\ndescription: x\ngeneration: distro\nkubernetes: null\ncomponents:\n" +
      "  - { name: etcd, roles: [etcd], artifacts: [{ platform: linux/amd64, from: 'file:/e', files: { .: etcd } }] }\n",
  );
  assert.equal((await loadClusterAndRelease(join(folder, "cluster.yaml"))).cluster.release, join(folder, "mine.yaml"));
});

test("doubtful settings are warnings with their place and stop nothing", async () => {
  const two = `${small}  - { name: n2, ip: 10.0.0.12, roles: [etcd] }\n`;
  const { warnings } = await parseCluster("cluster.yaml", two);
  assert.deepEqual(
    warnings.map((line) => line.slice(0, 40)),
    [
      "cluster.yaml:3:1: 2 etcd members tolerat",
      "cluster.yaml:3:1: no node has the role w",
      "cluster.yaml:4:32: release distro has no",
    ],
  );
});

test("a file that is missing, a folder, not UTF-8 or too large is CONFIG_UNREADABLE", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kubeferry-load-"));
  t.after(() => rm(folder, { recursive: true }));
  assert.equal(await codeOf(loadClusterAndRelease(join(folder, "none.yaml"))), "CONFIG_UNREADABLE");
  assert.equal(await codeOf(loadClusterAndRelease(folder)), "CONFIG_UNREADABLE");
  await writeFile(join(folder, "latin.yaml"), Buffer.from([0x6e, 0x3a, 0x20, 0xfc, 0x0a]));
  assert.equal(await codeOf(loadClusterAndRelease(join(folder, "latin.yaml"))), "CONFIG_UNREADABLE");
  await writeFile(join(folder, "large.yaml"), Buffer.alloc(17 * 1024 * 1024, 0x23));
  assert.equal(await codeOf(loadClusterAndRelease(join(folder, "large.yaml"))), "CONFIG_UNREADABLE");
});

test("nesting deeper than the parser's stack is an error of the file, not a crash", async () => {
  const deep = "[".repeat(200_000);
  assert.match(await codeOf(loadYaml("deep.yaml", z.unknown(), deep)), /^CONFIG_(SYNTAX|INVALID)$/);
});

test("the keys __proto__ and constructor are unknown keys like any other", async () => {
  const error: unknown = await parseCluster("cluster.yaml", `${small}__proto__: { x: 1 }\nconstructor: 1\n`).catch(
    (thrown: unknown) => thrown,
  );
  assert.ok(isExpected(error, "CONFIG_INVALID"));
  assert.match(error.message, /cluster\.yaml:5:1: unknown key `__proto__`/);
  assert.match(error.message, /cluster\.yaml:6:1: unknown key `constructor`/);
});

test("workers that come and go are refused where nobody could give their pods a network", async () => {
  const routed = `${small}workers: { subnet: 10.0.1.0/24 }\nnetwork: { plugin: static-routes }\n`;
  const error: unknown = await parseCluster("cluster.yaml", routed).catch((thrown: unknown) => thrown);
  assert.ok(isExpected(error, "CONFIG_INVALID"));
  assert.match(error.message, /cluster\.yaml:5:20: .*would have no network for its pods/);
  assert.equal(
    await codeOf(parseCluster("cluster.yaml", small.concat("workers: { subnet: 10.0.1.0/24 }\n"))),
    "accepted",
  );
});

test("an address of the masters that is far from them all is told", async () => {
  const text = (address: string): string =>
    `name: c\nrelease: kubernetes-1.36\nnodes:\n  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }\n` +
    `api: { endpoint: vip, vip: { address: ${address}, interface: eth0 } }\npackages: [{ distribution: debian 12, names: [haproxy, keepalived] }]\n`;
  assert.deepEqual((await parseCluster("cluster.yaml", text("10.0.0.10"))).warnings, []);
  const { warnings } = await parseCluster("cluster.yaml", text("192.168.7.10"));
  assert.match(
    warnings.join("\n"),
    /cluster\.yaml:5:\d+: 192\.168\.7\.10 is not in the \/24 of any master \(10\.0\.0\.11\)/,
  );
});

test("a node may be named by its FQDN, up to what the kubelet makes a label of", async () => {
  const named = (name: string): string => small.replace("n1", name);
  assert.equal((await loadedNames(named("n1.plant-7.example.org")))[0], "n1.plant-7.example.org");
  for (const bad of ["n1.", ".n1", "n1..x", "N1.example", `${"a".repeat(60)}.example`]) {
    assert.equal(await codeOf(parseCluster("cluster.yaml", named(`"${bad}"`))), "CONFIG_INVALID", bad);
  }
});

async function loadedNames(text: string): Promise<string[]> {
  return (await parseCluster("cluster.yaml", text)).cluster.nodes.map(({ name }) => name);
}
