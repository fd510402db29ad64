import assert from "node:assert/strict";
import { test } from "node:test";
import { platforms } from "#bundle";
import { isExpected } from "#cli/errors";
import { clusterSchema } from "../../../builder/config/cluster.ts";
import { describeRelease, releaseSummaries } from "../../../builder/config/release-list.ts";
import { listReleases, loadRelease } from "../../../builder/config/releases.ts";
import { type Artifact, type Component, releaseManifest } from "../../../builder/config/release.ts";
import { topology } from "../../../builder/config/topology.ts";
import { wantedComponents, wantedImages } from "../../../builder/config/wanted.ts";

/** The hosts that may appear in the manifest of each component. */
const hosts: Readonly<Record<string, readonly string[]>> = {
  docker: ["download.docker.com", "get.docker.com"],
  flannel: ["github.com", "raw.githubusercontent.com"],
  helm: ["get.helm.sh"],
};
const kubernetes = /^(kube-|kubernetes-|kubectl|kubeadm|kubelet)/;
const hostsOf = (name: string): readonly string[] =>
  hosts[name] ?? (kubernetes.test(name) ? ["dl.k8s.io"] : ["github.com"]);

const everyArtifact = (component: Component): Artifact[] => [
  ...component.artifacts,
  ...Object.values(component.alternatives).flat(),
];

/** Every one on the road from 1.16. */
const minors = Array.from({ length: 21 }, (_, index) => `1.${index + 16}`);

test("the releases are those that the README names", () => {
  assert.deepEqual(listReleases(), ["distro", ...["1.6", "1.11", ...minors].map((minor) => `kubernetes-${minor}`)]);
});

test("an unknown release is refused with what there is", async () => {
  await assert.rejects(loadRelease("kubernetes-9.9"), (error) => {
    assert.ok(isExpected(error, "RELEASE_UNKNOWN"));
    return error.expected?.includes("kubernetes-1.36") === true;
  });
  await assert.rejects(loadRelease("../releases/distro"), (error) => isExpected(error, "RELEASE_UNKNOWN"));
});

test("a release's digest is that of its bytes, equal each time", async () => {
  const [first, second] = await Promise.all([loadRelease("distro"), loadRelease("distro")]);
  assert.match(first.digest, /^[0-9a-f]{64}$/);
  assert.equal(first.digest, second.digest);
});

for (const name of listReleases()) {
  const release = (await loadRelease(name)).manifest;

  test(`${name}: the manifest is of its own name`, () => {
    assert.equal(release.release, name);
  });

  test(`${name}: every place is https on a host known for its component, the distribution, or built from its source`, () => {
    for (const component of release.components) {
      for (const { from, mirrors, checksum } of everyArtifact(component)) {
        for (const place of [from, ...mirrors, ...(checksum === undefined ? [] : [checksum])]) {
          if (name === "distro" || place.startsWith("apt:")) {
            assert.match(place, /^apt:[a-z0-9.+-]+$/);
            assert.ok(["distro", "kubernetes-1.20"].includes(name));
            continue;
          }
          if (name === "kubernetes-1.20") {
            assert.match(place, /^file:[a-z0-9./-]+\/(kube[a-z-]+|SHA256SUMS)$/);
            continue;
          }
          const url = new URL(place);
          assert.equal(url.protocol, "https:", place);
          assert.ok(hostsOf(component.name).includes(url.hostname), `${component.name}: ${place}`);
          assert.equal(`${url.search}${url.hash}${url.username}`, "", place);
        }
      }
    }
  });

  test(`${name}: one digest stands for one place, and one place has one digest`, () => {
    const places = new Map<string, string>();
    const digests = new Map<string, string>();
    for (const { from, digest } of release.components.flatMap(everyArtifact)) {
      if (digest === undefined) continue;
      assert.equal(digests.get(from) ?? digest, digest, from);
      // mk-docker-opts.sh is the same file in several versions, calico's YAML the same for both platforms.
      assert.equal(places.get(digest) ?? from, from, digest);
      digests.set(from, digest);
      places.set(digest, from);
    }
  });

  test(`${name}: every artifact has a digest or says where it comes from, and where that was read`, () => {
    for (const component of release.components) {
      for (const artifact of everyArtifact(component)) {
        const ways = [artifact.digest, artifact.checksum, artifact.pin].filter((way) => way !== undefined);
        assert.equal(ways.length, artifact.from.startsWith("apt:") ? 0 : 1, `${component.name} ${artifact.from}`);
        assert.notEqual(artifact.source ?? "", "", artifact.from);
        assert.equal(
          artifact.confidence === "missing",
          artifact.digest === undefined && ways.length > 0,
          artifact.from,
        );
      }
    }
  });

  test(`${name}: the version and the platform are in every URL`, () => {
    for (const component of release.components) {
      for (const { from, platform, version = component.version } of everyArtifact(component)) {
        if (from.startsWith("apt:")) continue;
        // One script is the same in flannel 0.7.0 and 0.7.1, and is taken from the later.
        if (from.endsWith(".sh") && version === "0.7.0") continue;
        assert.ok(from.includes(version ?? "?"), `${version} is not in ${from}`);
        const names = platform === "linux/amd64" ? /amd64|x86_64/ : /arm64|aarch64/;
        if (!/\.(sh|yaml)$/.test(from)) assert.match(from, names);
      }
    }
  });

  test(`${name}: every component has an artifact for each platform or says why not`, () => {
    for (const { name, artifacts, unavailable } of release.components) {
      for (const platform of platforms) {
        const has = artifacts.some((artifact) => artifact.platform === platform);
        assert.notEqual(has, unavailable[platform] !== undefined, `${name} for ${platform}`);
      }
    }
  });

  test(`${name}: no file comes twice to one cluster, whatever it chooses`, () => {
    for (const runtime of ["containerd", "docker"] as const) {
      for (const plugin of ["flannel", "flannel-etcd", "calico", "static-routes"] as const) {
        const cluster = clusterSchema.parse({
          name: "c",
          release: name,
          runtime,
          network: { plugin },
          tools: ["nerdctl", "helm"],
          nodes: [{ name: "n1", ip: "10.0.0.1", roles: ["etcd", "master", "worker"] }],
        });
        for (const platform of platforms) {
          const names = wantedComponents(release, topology(cluster, release))
            .flatMap(({ artifacts }) => artifacts.filter((artifact) => artifact.platform === platform))
            .flatMap(({ files }) => Object.values(files));
          assert.deepEqual(names, [...new Set(names)], `${runtime} ${plugin} ${platform}`);
        }
      }
    }
  });

  test(`${name}: image digests are sha256 and names have a registry and a tag`, () => {
    for (const image of release.images) {
      assert.match(image.name, /^([a-z0-9.-]+\.[a-z]+|localhost)(\/[a-z0-9._-]+)+:[\w.-]+$/);
      if (image.digest !== undefined) assert.match(image.digest, /^sha256:[0-9a-f]{64}$/);
      assert.equal(image.confidence === "missing", image.digest === undefined, image.name);
    }
  });
}

test("only what a cluster's roles and settings ask for is wanted", async () => {
  const { manifest } = await loadRelease("kubernetes-1.36");
  const shape = (yaml: object): ReturnType<typeof topology> =>
    topology(clusterSchema.parse({ name: "c", release: "kubernetes-1.36", ...yaml }), manifest);
  const names = (yaml: object): string[] => wantedComponents(manifest, shape(yaml)).map(({ name }) => name);
  assert.deepEqual(names({ nodes: [{ name: "e", ip: "10.0.0.1", roles: ["etcd"] }] }), ["etcd"]);
  const worker = { nodes: [{ name: "w", ip: "10.0.0.1", roles: ["worker"] }], tools: ["nerdctl"], runtime: "docker" };
  assert.deepEqual(names(worker), [
    "kubelet",
    "kube-proxy",
    "docker",
    "cri-dockerd",
    "cni-plugins",
    "crictl",
    "nerdctl",
  ]);
  const images = wantedImages(manifest, shape({ ...worker, addons: [] }), ["linux/amd64"]).map(({ for: why }) => why);
  assert.deepEqual(images, ["every pod's sandbox", "flannel over the API", "flannel over the API"]);
});

test("an alternative that is asked for takes the place of the usual artifacts, with its version", async () => {
  const { manifest } = await loadRelease("kubernetes-1.36");
  const nodes = [{ name: "n", ip: "10.0.0.1", roles: ["etcd", "master", "worker"] }];
  const cluster = clusterSchema.parse({ name: "c", release: "x", nodes, alternatives: ["server-tarball", "etcd-3.5"] });
  const wanted = new Map(wantedComponents(manifest, topology(cluster, manifest)).map((one) => [one.name, one]));
  assert.equal(wanted.get("etcd")?.version, "3.5.33");
  assert.match(wanted.get("etcd")?.artifacts[0]?.from ?? "", /v3\.5\.33/);
  assert.deepEqual(wanted.get("kubelet")?.artifacts[0]?.files, { "kubernetes/server/bin/kubelet": "kubelet" });
  assert.equal(wanted.get("kubelet")?.version, "1.36.3");
  assert.equal(wanted.get("runc")?.version, "1.4.3");
});

test("an image for one platform only is not wanted where that platform is not", async () => {
  const { manifest } = await loadRelease("kubernetes-1.6");
  const nodes = [{ name: "n", ip: "10.0.0.1", roles: ["worker"] }];
  const shape = topology(clusterSchema.parse({ name: "c", release: "kubernetes-1.6", nodes }), manifest);
  assert.deepEqual(wantedImages(manifest, shape, ["linux/arm64"]), []);
  assert.equal(wantedImages(manifest, shape, ["linux/amd64"]).length, 4);
});

test("kubeferry releases says who pins what", async () => {
  const all = await releaseSummaries();
  const pins = (release: string, component: string): unknown =>
    all.find((one) => one.release === release)?.components.find(({ name }) => name === component)?.pinned;
  assert.deepEqual(pins("distro", "etcd"), { "linux/amd64": "distribution", "linux/arm64": "distribution" });
  assert.deepEqual(pins("kubernetes-1.36", "etcd"), { "linux/amd64": "release", "linux/arm64": "release" });
  assert.deepEqual(pins("kubernetes-1.16", "containerd"), { "linux/amd64": "release", "linux/arm64": "missing" });
  assert.deepEqual(pins("kubernetes-1.6", "etcd"), { "linux/amd64": "release", "linux/arm64": "unavailable" });
  assert.deepEqual(pins("kubernetes-1.11", "cni-plugins"), { "linux/amd64": "release", "linux/arm64": "upstream" });
  const platformsOf = (release: string): unknown => all.find((one) => one.release === release)?.platforms;
  assert.deepEqual(platformsOf("kubernetes-1.6"), ["linux/amd64"]);
  assert.deepEqual(platformsOf("kubernetes-1.36"), ["linux/amd64", "linux/arm64"]);
  for (const release of all) assert.ok(describeRelease(release).length > release.components.length);
});

test("a signature names one of the release's signers and a list, and each signer is named", async () => {
  for (const name of listReleases()) {
    const { manifest } = await loadRelease(name);
    const by = manifest.components.flatMap(everyArtifact).flatMap(({ signature }) => signature?.by ?? []);
    const of = name.startsWith("kubernetes-") && manifest.signers !== undefined ? Object.keys(manifest.signers) : [];
    assert.deepEqual([...new Set(by)].toSorted(), of.toSorted(), name);
    for (const signer of Object.values(manifest.signers ?? {})) assert.ok(signer.source !== undefined, name);
  }
  const { manifest } = await loadRelease("kubernetes-1.36");
  const refused = (edit: (runc: Artifact) => object): string[] => {
    const components = manifest.components.map((one) =>
      one.name === "runc" ? { ...one, artifacts: one.artifacts.map((each) => ({ ...each, ...edit(each) })) } : one,
    );
    const { error } = releaseManifest.safeParse({ ...manifest, components });
    return error?.issues.map(({ path, message }) => `${path.slice(2).join(".")}: ${message}`) ?? [];
  };
  const unnamed = refused(() => ({ signature: { by: "nobody" } }));
  assert.deepEqual(
    unnamed,
    ["artifacts.0.signature", "artifacts.1.signature"].map((at) => `${at}: no \`signers\` has the name nobody`),
  );
  assert.match(refused(() => ({ published: undefined })).join("\n"), /wants the list that is signed/);
});

/** Projects that publish no checksums of these files (or did not yet, at that version): what is known of them is second-hand. */
const unpublished =
  /^https:\/\/(download\.docker\.com|get\.docker\.com|raw\.githubusercontent\.com|github\.com\/(coreos\/(flannel|etcd)|flannel-io\/(flannel|cni-plugin\/releases\/download\/v1\.0\.)|Mirantis\/cri-dockerd|projectcalico\/(calicoctl|calico\/raw)|etcd-io\/etcd\/releases\/download\/v3\.[0-4]\.|kubernetes-sigs\/cri-tools\/releases\/download\/v1\.1\d\.)|dl\.k8s\.io\/release\/v1\.(11|16|20)\.)/;

test("every pinned digest says where it was read, and where upstream publishes it if it does", async () => {
  for (const name of listReleases()) {
    const { manifest } = await loadRelease(name);
    const artifacts = manifest.components.flatMap((component) => [
      ...component.artifacts,
      ...Object.values(component.alternatives).flat(),
    ]);
    for (const { from, digest, source, agrees = [], published, checksum } of artifacts) {
      if (digest === undefined || from.startsWith("file:")) continue;
      assert.ok(source !== undefined, `${name}: ${from} does not say where its digest was read`);
      assert.ok(
        (published ?? checksum) !== undefined || unpublished.test(from),
        `${name}: where is ${from} published?`,
      );
      for (const text of [source, ...agrees]) {
        assert.doesNotMatch(text, /stored|find_string|offset|\bids? \d/, `${name}: ${from}`);
      }
      assert.ok(!agrees.includes(source), `${name}: ${from} agrees with itself`);
    }
  }
});
