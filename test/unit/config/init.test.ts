import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as z from "zod";
import { isExpected } from "#cli/errors";
import { clusterSchema } from "../../../builder/config/cluster.ts";
import { descriptions } from "../../../builder/config/descriptions.ts";
import { answersFromFlags, askAnswers, checkAnswers } from "../../../builder/config/init-answers.ts";
import { clusterYaml } from "../../../builder/config/init.ts";
import { parseCluster } from "../../../builder/config/load.ts";

/** Holds the files that the examples name. */
const folder = mkdtempSync(join(tmpdir(), "kubeferry-init-"));
for (const name of ["issue.net"]) writeFileSync(join(folder, name), "");
after(() => rmSync(folder, { recursive: true, force: true }));

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly items?: Shape;
}

function keyPaths(shape: Shape, above: string): string[] {
  const inner = { ...shape.items?.properties, ...shape.properties };
  return Object.entries(inner).flatMap(([key, next]) => {
    const path = above === "" ? key : `${above}.${key}`;
    return [path, ...keyPaths(next, path)];
  });
}

const schemaPaths = keyPaths(z.toJSONSchema(clusterSchema, { io: "input", unrepresentable: "any" }) as Shape, "");

test("what init writes is what load reads, with the answers in it", async () => {
  const flags = {
    name: "plant-7",
    release: "kubernetes-1.16",
    node: ["m1=10.0.0.11:etcd,control-plane", "w1=10.0.0.21:worker"],
    platform: ["linux/amd64", "linux/arm64"],
    workers: "10.0.0.0/24",
    services: "10.96.0.0/16",
    pods: "10.244.0.0/16",
    plugin: "flannel",
    vip: "10.0.0.10,eth0",
    runtime: "docker",
  };
  const { cluster } = await parseCluster("cluster.yaml", clusterYaml(await answersFromFlags(flags)));
  assert.equal(cluster.name, "plant-7");
  assert.deepEqual(
    cluster.nodes.map(({ name, ip, roles }) => [name, ip, roles]),
    [
      ["m1", "10.0.0.11", ["etcd", "master"]],
      ["w1", "10.0.0.21", ["worker"]],
    ],
  );
  assert.deepEqual(cluster.platforms, flags.platform);
  assert.equal(cluster.workers?.subnet, flags.workers);
  assert.equal(cluster.network.services, flags.services);
  assert.equal(cluster.network.pods, flags.pods);
  assert.equal(cluster.network.plugin, "flannel");
  assert.equal(cluster.api.endpoint, "vip");
  assert.deepEqual(cluster.api.vip, { address: "10.0.0.10", interface: "eth0", port: 8443, routerId: 68 });
  assert.equal(cluster.runtime, "docker");
});

test("with no answers init writes a cluster of one node that loads, at its defaults", async () => {
  const text = clusterYaml(await answersFromFlags({}));
  const { cluster } = await parseCluster("cluster.yaml", text);
  const { name, release, nodes } = cluster;
  assert.deepEqual(cluster, clusterSchema.parse({ name, release, nodes }));
});

test("taking away every # before an option gives a file that loads too", async () => {
  const text = clusterYaml(await answersFromFlags({})).replaceAll(/^(\s*)#(?=\S)/gm, "$1");
  const { cluster } = await parseCluster(join(folder, "cluster.yaml"), text);
  assert.equal(cluster.api.vip?.address, "10.0.0.10");
  assert.equal(cluster.etcd.walDir, "/var/lib/etcd-wal");
});

test("defaults in the comments are the schema's defaults", async () => {
  const text = clusterYaml(await answersFromFlags({})).replaceAll(/^(\s*)#(?=\S)/gm, "$1");
  const { cluster } = await parseCluster(join(folder, "cluster.yaml"), text);
  const { name, release, nodes } = cluster;
  const plain = clusterSchema.parse({ name, release, nodes });
  for (const part of ["platforms", "runtime", "directories", "encryptionAtRest", "audit", "flags", "tools"] as const) {
    assert.deepEqual(cluster[part], plain[part], part);
  }
  for (const part of ["services", "pods", "nodePorts", "domain"] as const) {
    assert.equal(cluster.network[part], plain.network[part], part);
  }
  for (const part of ["swap", "selinux", "firewall", "hostname", "hosts"] as const) {
    assert.equal(cluster.host[part], plain.host[part], part);
  }
});

test("every option of the schema stands in the file, each with its description", async () => {
  const lines = clusterYaml(await answersFromFlags({})).split("\n");
  for (const path of schemaPaths) {
    const key = path.split(".").at(-1) ?? "";
    assert.ok(descriptions[path] !== undefined, `descriptions.ts lacks ${path}`);
    assert.ok(
      lines.some((line) => new RegExp(`(^|[\\s#{])${key}:`).test(line)),
      `${path} is not in the file`,
    );
    if (!/^(packages|images|files)\./.test(path))
      assert.ok(
        lines.some((line) => line.includes(descriptions[path] ?? "?")),
        path,
      );
  }
  assert.deepEqual(Object.keys(descriptions).toSorted(), schemaPaths.toSorted());
});

test("init proposes the newest Kubernetes, and docker where the release has no containerd", async () => {
  const newest = await answersFromFlags({});
  assert.equal(newest.release, "kubernetes-1.36");
  assert.equal(newest.runtime, undefined);
  const old = await answersFromFlags({ release: "kubernetes-1.6" });
  assert.equal(old.runtime, "docker");
  assert.deepEqual(await checkAnswers(old, "cluster.yaml"), []);
});

test("an answer that cannot be taken is told at once, and asked for again", async () => {
  const replies: Record<string, string[]> = {
    Name: ["Plant 7", "plant-7"],
    Release: ["kubernetes-1.99", "kubernetes-1.35"],
    Nodes: ["n1", "n1=127.0.0.1:etcd,master", "a=10.0.0.1:etcd,master b=10.0.0.2:worker"],
    Network: ["10.0.0.0", "10.0.0.7/24", "10.0.1.0/24"],
  };
  const asked: string[] = [];
  const told: string[] = [];
  const answers = await askAnswers("cluster.yaml", {
    ask: async (question, preset) => {
      const key = question.split(/\W/)[0] ?? "";
      asked.push(key);
      return replies[key]?.shift() ?? preset;
    },
    tell: (text) => told.push(text.trim()),
  });
  assert.deepEqual(asked, [
    "Name",
    "Name",
    "Release",
    "Release",
    ...["Nodes", "Nodes", "Nodes"],
    ...Array(3).fill("Network"),
  ]);
  assert.match(told[0] ?? "", /name. wants a lower-case RFC 1123 name/);
  assert.match(told[1] ?? "", /there is no release kubernetes-1\.99/);
  assert.match(told[2] ?? "", /cannot read the node n1; expected: NAME=IP:ROLE/);
  assert.match(told[3] ?? "", /127\.0\.0\.1 is the loopback/);
  assert.match(told[4] ?? "", /IPv4 or IPv6 network/);
  assert.match(told[5] ?? "", /wants 10\.0\.0\.0\/24/);
  assert.equal(told.length, 6);
  const { name, release, workersSubnet, nodes } = answers;
  assert.deepEqual(
    { name, release, workersSubnet, nodes: nodes.length },
    {
      name: "plant-7",
      release: "kubernetes-1.35",
      workersSubnet: "10.0.1.0/24",
      nodes: 2,
    },
  );
});

test("a node or shared address that cannot be read is a usage error", async () => {
  for (const flags of [{ node: ["n1"] }, { node: ["n1=10.0.0.1:boss"] }, { vip: "10.0.0.1" }]) {
    await assert.rejects(answersFromFlags(flags), (error) => isExpected(error, "USAGE"));
  }
});
