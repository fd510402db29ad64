import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse as parseToml } from "smol-toml";
import { parse } from "yaml";
import { isExpected } from "#cli/errors";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { clusterOfMinor, minors } from "../../builders/minors.ts";
import { textOf } from "../../builders/placed-node.ts";

const golden = join(import.meta.dirname, "../../golden/clusters");
const yamlOf = (name: string): string => readFileSync(join(golden, name, "cluster.yaml"), "utf8");

test("fields of cluster.yaml go into the daemons' own files: mappings are merged, types stay", async () => {
  const fields = `
kubelet:
  maxPods: 200
  authentication: { webhook: { cacheTTL: 30s } }
  clusterDNS: [10.254.0.2, 10.0.0.53]
kube-proxy: { iptables: { syncPeriod: 1m } }
kube-scheduler: { parallelism: 8, leaderElection: { leaseDuration: 30s } }
`;
  const rendered = renderFixture(await fixtureCluster(`${yamlOf("1.36-single-node")}${fields}`));
  const file = (name: string): Record<string, unknown> =>
    parse(textOf(rendered, "n1", `/etc/kubernetes/${name}.yaml`)) as Record<string, unknown>;
  const kubelet = file("kubelet-config");
  assert.equal(kubelet["maxPods"], 200);
  assert.deepEqual(kubelet["authentication"], {
    anonymous: { enabled: false },
    webhook: { enabled: true, cacheTTL: "30s" },
    x509: { clientCAFile: "/etc/kubernetes/pki/ca.pem" },
  });
  assert.deepEqual(kubelet["clusterDNS"], ["10.254.0.2", "10.0.0.53"]);
  assert.deepEqual(file("kube-proxy")["iptables"], { syncPeriod: "1m" });
  assert.equal(file("kube-scheduler")["parallelism"], 8);
  assert.deepEqual(file("kube-scheduler")["leaderElection"], { leaderElect: true, leaseDuration: "30s" });
});

test("where the runtime tells the kubelet of no pinned image, no image is collected", async () => {
  const threshold = async (name: string, node: string): Promise<unknown> => {
    const rendered = renderFixture(await fixtureCluster(yamlOf(name)));
    const settings = parse(textOf(rendered, node, "/etc/kubernetes/kubelet-config.yaml")) as Record<string, unknown>;
    return settings["imageGCHighThresholdPercent"];
  };
  assert.equal(await threshold("1.16-docker", "n2"), 100);
  assert.equal(await threshold("1.20-static-routes", "n2"), 100);
  assert.equal(await threshold("1.36-single-node", "n1"), undefined);
});

test("masters have a way to pods of workers that are named, and no unit without a command before there are any", async () => {
  const units = async (text: string): Promise<string[]> =>
    renderFixture(await fixtureCluster(text)).units.map(({ name }) => name);
  const text = yamlOf("1.20-static-routes");
  assert.ok((await units(text)).includes("kubeferry-routes.service"));
  const masters = text.replaceAll(/^ +- \{.*roles: \[worker\].*\n/gm, "").replaceAll(", worker]", "]");
  assert.notEqual(masters, text);
  assert.ok(!(await units(masters)).includes("kubeferry-routes.service"));
});

test("settings of docker go into daemon.json", async () => {
  const docker = 'docker: { log-opts: { max-size: 50m }, insecure-registries: ["registry.plant:5000"] }';
  const rendered = renderFixture(await fixtureCluster(`${yamlOf("1.16-docker")}${docker}\n`));
  const settings = JSON.parse(textOf(rendered, "n2", "/etc/docker/daemon.json")) as Record<string, unknown>;
  assert.deepEqual(settings["log-opts"], { "max-size": "50m", "max-file": "5" });
  assert.deepEqual(settings["insecure-registries"], ["registry.plant:5000"]);
});

test("fields of containerd go into config.toml, as numbers, truths and lists", async () => {
  const fields = `
containerd:
  debug: { level: debug }
  oom_score: -999
  plugins:
    io.containerd.cri.v1.runtime:
      max_container_log_line_size: 16384
      containerd: { runtimes: { runc: { options: { SystemdCgroup: false } } } }
`;
  const rendered = renderFixture(await fixtureCluster(`${yamlOf("1.36-single-node")}${fields}`));
  const text = textOf(rendered, "n1", "/etc/containerd/config.toml");
  const settings = JSON.parse(JSON.stringify(parseToml(text))) as Record<string, unknown>;
  assert.equal(settings["oom_score"], -999);
  assert.deepEqual(settings["debug"], { level: "debug" });
  const plugins = settings["plugins"] as Record<string, Record<string, unknown>>;
  const runtime = plugins["io.containerd.cri.v1.runtime"];
  assert.equal(runtime?.["max_container_log_line_size"], 16_384);
  assert.deepEqual(runtime?.["containerd"], {
    default_runtime_name: "runc",
    runtimes: {
      runc: {
        runtime_type: "io.containerd.runc.v2",
        options: { BinaryName: "/usr/local/bin/runc", SystemdCgroup: false },
      },
    },
  });
});

test("fields for a daemon that is given no file, and what the version decides, are refused", async () => {
  const cases = [
    [
      "1.6-docker-flannel",
      "kubelet: { maxPods: 10 }",
      /kubelet 1\.6\.\d+ is given no configuration file; write it under flags\.kubelet/,
    ],
    ["1.36-single-node", "kubelet: { apiVersion: v1 }", /apiVersion of kubelet follows from its version/],
    ["distro", "kubelet: { maxPods: 10 }", /release distro has no kubelet/],
    ["distro", "docker: { debug: true }", /docker runs here only with `runtime: docker`/],
    ["1.16-docker", "docker: { data-root: /data }", /data-root of docker follows from directories\.docker/],
    ["1.16-docker", "containerd: { debug: { level: debug } }", /docker starts a containerd of its own here/],
    ["distro", "containerd: { version: 3 }", /version of containerd follows from its version/],
    ["distro", "containerd: { grpc: { uid: null } }", /a field of containerd cannot be empty/],
  ] as const;
  for (const [name, fields, message] of cases) {
    await assert.rejects(fixtureCluster(`${yamlOf(name)}${fields}\n`), (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"), String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test("what one minor's API server encrypts, those of the next minor and of the one before can read", async () => {
  const writesAndReads = async (minor: string): Promise<[string, string[]]> => {
    const file = textOf(renderFixture(await clusterOfMinor(minor)), "m1", "/etc/kubernetes/encryption-config.yaml");
    const { resources } = parse(file) as { resources: { providers: Record<string, unknown>[] }[] };
    const readers = resources[0]?.providers.flatMap((provider) => Object.keys(provider)) ?? [];
    return [readers[0] ?? "", readers];
  };
  const found = await Promise.all(minors.map(writesAndReads));
  for (const [index, [, readers]] of found.entries())
    for (const [writer] of found.slice(Math.max(0, index - 1), index + 2))
      assert.ok(readers.includes(writer), `${minors[index]} reads ${readers.join(" and ")}, not ${writer}`);
  assert.deepEqual([found[7]?.[0], found[8]?.[0]], ["aescbc", "secretbox"], "1.24 is where the writer changes");
});
