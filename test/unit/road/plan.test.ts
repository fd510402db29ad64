/** A road is refused before anything is made, at the place in the file and with the step that would refuse it. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stringify } from "yaml";
import { loadRelease } from "../../../builder/config/releases.ts";
import { type Ran, runKubeferry } from "../../programs/command.ts";
import { recordsOf } from "../../programs/json-lines.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-plan-"));
after(() => rmSync(root, { recursive: true, force: true }));

const head = (release: string): string => `name: plant-7
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
`;
let count = 0;

/** A folder of its own with cluster.yaml and what else it is given. */
function folderWith(files: Record<string, string>): string {
  count += 1;
  const folder = join(root, `${count}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const plan = (folder: string, ...argv: string[]): Promise<Ran> =>
  runKubeferry(["plan-upgrade", join(folder, "cluster.yaml"), ...argv]);

test("what a later step refuses is told at its place, once, with the first step that does; nothing is made", async () => {
  const text = `${head("kubernetes-1.22")}runtime: docker
flags:
  kube-apiserver: { insecure-port: 0 }
  kubelet:
    network-plugin: cni
`;
  const folder = folderWith({ "cluster.yaml": text });
  const ran = await plan(folder, "--to", "1.26", "-o", join(folder, "road"), "--cache", join(folder, "store"));
  assert.equal(ran.code, 3, ran.out + ran.err);
  const file = join(folder, "cluster.yaml");
  assert.match(ran.err, new RegExp(`${file}:5:\\d+: step 1\\.24: .*write \`runtime: containerd\``));
  assert.match(ran.err, new RegExp(`${file}:7:\\d+: step 1\\.24: .*--insecure-port any more.*write secure-port`));
  assert.match(ran.err, new RegExp(`${file}:9:\\d+: step 1\\.24: .*--network-plugin any more`));
  assert.equal(ran.err.match(/: step /g)?.length, 3, ran.err);
  assert.deepEqual(readdirSync(folder), ["cluster.yaml"]);
});

test("cluster-1.24.yaml is what the cluster is to be from 1.24 on, and its own release counts for its own step", async () => {
  const old = `${head("kubernetes-1.22")}runtime: docker\n`;
  const { manifest } = await loadRelease("kubernetes-1.24");
  const files = {
    "cluster.yaml": old,
    "cluster-1.24.yaml": head("own.yaml"),
    "own.yaml": stringify({ ...manifest, release: "own-1.24" }),
    "cluster-1.20.yaml": "not: read\n",
  };
  const folder = folderWith(files);
  const ran = await plan(folder, "--to", "1.25", "--json");
  assert.equal(ran.code, 0, ran.out + ran.err);
  const steps = recordsOf(ran.out, 0).flatMap((record) => (record.type === "step" ? [record] : []));
  assert.deepEqual(
    steps.map(({ from, to, release }) => [from, to, release]),
    [
      ["1.22", "1.23", "kubernetes-1.23.17"],
      ["1.23", "1.24", "own-1.24"],
      ["1.24", "1.25", "kubernetes-1.25.16"],
    ],
  );
  assert.match(steps[1]?.needs.join("\n") ?? "", /docker go to containerd/);
  writeFileSync(join(folder, "cluster.yaml"), head("kubernetes-1.22"));
  const without = await plan(folder, "--to", "1.25");
  assert.doesNotMatch(without.out, /docker/);
});

test("the pod network, the name and the networks are not changed by the way", async () => {
  const silent = await plan(folderWith({ "cluster.yaml": head("kubernetes-1.21") }), "--to", "1.22");
  assert.equal(silent.code, 3);
  assert.match(silent.err, /cluster\.yaml:1:1: step 1\.22: .*calico to flannel here: keep yours by `plugin: calico`/);
  const kept = `${head("kubernetes-1.21")}network: { plugin: calico }\n`;
  assert.equal((await plan(folderWith({ "cluster.yaml": kept }), "--to", "1.22")).code, 0);
  const other = `${head("x").replace("plant-7", "plant-8")}network: { plugin: calico, services: 10.1.0.0/16 }\n`;
  const moved = await plan(folderWith({ "cluster.yaml": kept, "cluster-1.22.yaml": other }), "--to", "1.22");
  assert.match(moved.err, /RELEASE_UNKNOWN|there is no release x/);
  const named = other.replace("release: x", "release: kubernetes-1.22");
  const both = await plan(folderWith({ "cluster.yaml": kept, "cluster-1.22.yaml": named }), "--to", "1.22");
  assert.match(both.err, /cluster-1\.22\.yaml:1:7: step 1\.22: name was plant-7/);
  assert.match(both.err, /cluster-1\.22\.yaml:5:\d+: step 1\.22: network\.services was 10\.254\.0\.0\/16/);
});

test("a road without the running cluster's keys is refused, and so are words that say two things", async () => {
  const folder = folderWith({ "cluster.yaml": head("kubernetes-1.34") });
  const out = ["-o", join(folder, "road"), "--offline", "--cache", join(folder, "store")];
  const cases: [number, RegExp, string[]][] = [
    [3, /PKI_INVALID[^]*plant-7\.pki/, ["--to", "1.35", ...out]],
    [2, /of another minor[^]*expected: a release of 1\.33/, ["--from", "1.33", "--to", "1.35"]],
    [2, /is at 1\.34 already/, ["--to", "1.34"]],
    [2, /--release kubernetes-1\.30 is of no step/, ["--to", "1.35", "--release", "kubernetes-1.30"]],
  ];
  for (const [code, message, argv] of cases) {
    const ran = await plan(folder, ...argv);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, message);
  }
  assert.deepEqual(readdirSync(folder), ["cluster.yaml"]);
  assert.equal((await runKubeferry(["plan-upgrade", "--to", "1.35"])).code, 2);
  assert.equal(readFileSync(join(folder, "cluster.yaml"), "utf8"), head("kubernetes-1.34"));
});
