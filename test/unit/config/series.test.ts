/** Releases that are made of a series and a pin, and pairs of versions that do not go together. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { doubtOf, readFlagTable } from "../../../builder/config/flag-table.ts";
import { parseCluster } from "../../../builder/config/load.ts";
import { releaseFindings } from "../../../builder/config/release-rules.ts";
import { loadRelease } from "../../../builder/config/releases.ts";
import { listSeries, manifestOf } from "../../../builder/config/series.ts";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { commandLine } from "../../builders/placed-node.ts";

const cluster = (release: string, more = ""): string => `
name: plant-7
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
${more}`;

const patch = (minor: string): string =>
  /^"(1\.\d+\.\d+)":/m.exec(
    readFileSync(join(import.meta.dirname, "../../../manifests/pins/kubernetes.yaml"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith(`"${minor}.`))
      .join("\n"),
  )?.[1] ?? "";

for (const minor of listSeries()) {
  test(`Kubernetes ${minor} is given no flag that it does not have, and only bytes of its own version`, async () => {
    const fixture = await fixtureCluster(cluster(`kubernetes-${patch(minor)}`));
    assert.equal(fixture.manifest.kubernetes, patch(minor));
    const table = readFlagTable();
    const doubts = renderFixture(fixture).files.flatMap(({ path, content }) => {
      const daemon = /system\/([\w-]+)\.service$/.exec(path)?.[1] ?? "";
      if (typeof content !== "string" || table[daemon] === undefined) return [];
      const flags = commandLine(content).flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
      return flags.flatMap((flag) => doubtOf(table, daemon, flag, fixture.manifest)?.message ?? []);
    });
    assert.deepEqual(doubts, []);
    const own = fixture.manifest.components.filter(({ name }) => name.startsWith("kube"));
    for (const { artifacts, alternatives, version } of own) {
      assert.equal(version, patch(minor));
      for (const { from, digest, checksum, source } of [...artifacts, ...Object.values(alternatives).flat()]) {
        assert.ok(from.includes(`v${patch(minor)}/`), from);
        assert.ok((digest ?? checksum) !== undefined && source !== undefined, from);
      }
    }
  });
}

test("a new patch release is one line: without digests they are read from upstream's checksum files", async () => {
  const { manifest } = await loadRelease("kubernetes-1.33");
  const like = (await loadRelease("kubernetes-1.34")).manifest;
  const release = {
    series: { like: "kubernetes-1.34", alternatives: [], components: [] },
    version: "1.33.99",
    pin: { digests: {} },
  };
  const next = manifestOf("kubernetes-1.33", like, release);
  assert.equal(next.kubernetes, "1.33.99");
  const kubelet = next.components.find(({ name }) => name === "kubelet")?.artifacts[0];
  assert.equal(kubelet?.checksum, "https://dl.k8s.io/release/v1.33.99/bin/linux/amd64/kubelet.sha256");
  assert.equal(kubelet?.digest, undefined);
  assert.equal(next.components.length, manifest.components.length);
});

test("kube-proxy works by iptables until nftables needs no feature gate", async () => {
  const mode = async (release: string, more = "") =>
    (await fixtureCluster(cluster(release, more))).topology.network.proxyMode;
  assert.equal(await mode("kubernetes-1.30"), "iptables");
  assert.equal(await mode("kubernetes-1.31"), "nftables");
  // Its ipvs wants a module that kernels from 4.19 on have no more.
  assert.equal(await mode("kubernetes-1.11", "runtime: docker"), "iptables");
});

test("whoever shares etcd with each worker's flannel is told", async () => {
  const told = async (release: string, more: string) =>
    (await parseCluster("cluster.yaml", cluster(release, more))).warnings.filter((line) =>
      /key to all of etcd/.test(line),
    );
  assert.equal((await told("kubernetes-1.11", "runtime: docker")).length, 1);
  assert.equal((await told("kubernetes-1.16", "runtime: docker\nnetwork: { plugin: flannel-etcd }")).length, 1);
  assert.deepEqual(await told("kubernetes-1.36", ""), []);
});

test("a wrong pair is refused with the reason", async () => {
  await assert.rejects(
    parseCluster("cluster.yaml", cluster("kubernetes-1.28", "network: { proxyMode: nftables }")),
    (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"));
      assert.match(error.message, /kube-proxy 1\.28\.15 has no proxy mode nftables yet: it came with 1\.31/);
      return true;
    },
  );
  const { cluster: config } = await parseCluster("cluster.yaml", cluster("kubernetes-1.36"));
  const { manifest } = await loadRelease("kubernetes-1.36");
  const cases = [
    [
      "1.22.17",
      {},
      /Kubernetes 1\.22\.17 and containerd 2\.3\.4 do not go together: until 1\.22 its kubelet speaks only CRI v1alpha2/,
    ],
    [
      "1.26.15",
      { containerd: "1.5.18" },
      /containerd 1\.5\.18 do not go together: from 1\.26 on its kubelet speaks only CRI v1/,
    ],
    ["1.36.3", { etcd: "3.3.27" }, /etcd 3\.3\.27 do not go together/],
  ] as const;
  for (const [kubernetes, versions, message] of cases) {
    const components = manifest.components.map((component) => {
      const version = new Map(Object.entries(versions)).get(component.name);
      return version === undefined ? component : { ...component, version };
    });
    const findings = releaseFindings(config, { ...manifest, kubernetes, components });
    assert.match(findings.map((one) => one.message).join("\n"), message);
  }
  assert.deepEqual(releaseFindings(config, manifest), []);
});
