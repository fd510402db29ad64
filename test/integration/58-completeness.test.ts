/**
 * `build` over the real releases: with any one component, file or image taken out it refuses, names what is missing and
 * writes no bundle. There are no Kubernetes binaries here; stand-ins have their place, name and form.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import { ExpectedError } from "#cli/errors";
import { createReporter } from "#cli/reporter";
import { build } from "../../builder/build.ts";
import { loadClusterAndRelease } from "../../builder/config/load.ts";
import { type ReleaseManifest, releaseManifest } from "../../builder/config/release.ts";
import { topology } from "../../builder/config/topology.ts";
import { wantedComponents, wantedImages } from "../../builder/config/wanted.ts";
import { standIn, writeStandInRelease } from "../fakes/stand-in-release.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-complete-"));
const installers = join(folder, "installers");
const platform = "linux/amd64" as const;
const quiet = createReporter({ out: { write: () => true }, err: { write: () => true } });

/**
 * What each release carries besides: tools for operators, plugins of an archive that no network of the cluster names, the
 * older of two shims, an image for pods that the manifests do not have. Everything else is missed.
 */
const plugins = /^cni-plugins\//;
const spare: Readonly<Record<string, readonly string[]>> = {
  // Its network is docker's own bridge, which needs no plugins at all.
  "kubernetes-1.6": ["kubernetes-server/kubeadm", "docker/docker-containerd-ctr"],
  "kubernetes-1.11": ["kubernetes-server/kubeadm", "docker/docker-containerd-ctr", "component cni-plugins"],
  "kubernetes-1.16": [
    "kubernetes-server/kubeadm",
    "containerd/containerd-shim",
    "containerd/containerd-shim-runc-v1",
    "component crictl",
    "component calicoctl",
    "image docker.io/calico/pod2daemon-flexvol:v3.12.0",
  ],
  "kubernetes-1.34": ["component kubeadm", "etcd/etcdutl", "component crictl"],
  "kubernetes-1.35": ["component kubeadm", "etcd/etcdutl", "component crictl"],
  "kubernetes-1.36": ["component kubeadm", "etcd/etcdutl", "component crictl"],
};
/** Those that each generation's own network needs, and that are missed one by one. */
const neededPlugins: Readonly<Record<string, readonly string[]>> = {
  "kubernetes-1.16": ["cni-plugins/loopback", "cni-plugins/portmap", "cni-plugins/bandwidth"],
  "kubernetes-1.34": ["cni-plugins/bridge", "cni-plugins/host-local", "cni-plugins/loopback", "cni-plugins/portmap"],
  "kubernetes-1.35": ["cni-plugins/bridge", "cni-plugins/host-local", "cni-plugins/loopback", "cni-plugins/portmap"],
  "kubernetes-1.36": ["cni-plugins/bridge", "cni-plugins/host-local", "cni-plugins/loopback", "cni-plugins/portmap"],
};

before(() => {
  mkdirSync(installers);
  for (const name of ["install", "install-linux-amd64"])
    writeFileSync(join(installers, name), standIn(name, "Kubeferry"));
});
after(() => rmSync(folder, { recursive: true }));

for (const release of Object.keys(spare)) {
  test(`${release}: complete as it is, and refused without any one component, file or image`, async (t) => {
    const own = join(folder, release);
    mkdirSync(own);
    const manifest = readManifest(await writeStandInRelease(own, release, { platform }));
    await buildOf(own, "whole", manifest);
    assert.ok(existsSync(join(own, "whole.tar")));

    const wanted = await wantedOf(own);
    let count = 0;
    const unmissed: string[] = [];
    const refused: string[] = [];
    const refuses = async (what: string, less: ReleaseManifest, names: RegExp): Promise<void> => {
      count += 1;
      const error = await buildOf(own, `less-${count}`, less).then(
        () => null,
        (found: unknown) => found,
      );
      if (error === null) return void unmissed.push(what);
      refused.push(what);
      assert.ok(error instanceof ExpectedError, what);
      assert.match(`${error.message} ${error.expected ?? ""}`, names, what);
      assert.ok(!existsSync(join(own, `less-${count}.tar`)), `${what}: something was written`);
    };
    for (const component of wanted.components) {
      const files = component.artifacts.flatMap((artifact) => Object.values(artifact.files));
      await refuses(
        `component ${component.name}`,
        without(manifest, component.name, files),
        anyOf([component.name, ...files]),
      );
      if (files.length === 1) continue;
      for (const name of files)
        await refuses(`${component.name}/${name}`, without(manifest, component.name, [name]), anyOf([name]));
    }
    for (const { name } of wanted.images) {
      const images = manifest.images.filter((image) => image.name !== name);
      await refuses(
        `image ${name}`,
        { ...manifest, images },
        anyOf([brings(/([^/:]+?)(-amd64)?(:[^/]*)?$/.exec(name)?.[1] ?? name)]),
      );
    }
    assert.deepEqual(
      unmissed.filter((what) => !plugins.test(what)),
      spare[release],
      "nobody misses these",
    );
    const missedPlugins = refused.filter((what) => plugins.test(what));
    assert.deepEqual(missedPlugins.toSorted(), (neededPlugins[release] ?? []).toSorted());
    t.diagnostic(`${refused.length} of ${count} builds were refused`);
  });
}

/** Without the image that brings flannel's program of CNI, a release has to bring it as a file: that is what is missed. */
function brings(image: string): string {
  return image === "flannel-cni-plugin" ? "/opt/cni/bin/flannel" : image;
}

function readManifest(path: string): ReleaseManifest {
  return releaseManifest.parse(parse(readFileSync(path, "utf8")));
}

/** With these files no longer taken from a component; with none left it goes altogether. */
function without(manifest: ReleaseManifest, component: string, gone: readonly string[]): ReleaseManifest {
  const components = manifest.components.flatMap((one) => {
    if (one.name !== component) return [one];
    const artifacts = one.artifacts
      .map((artifact) => ({
        ...artifact,
        files: Object.fromEntries(Object.entries(artifact.files).filter(([, name]) => !gone.includes(name))),
      }))
      .filter(({ files }) => Object.keys(files).length > 0);
    return artifacts.length === 0 ? [] : [{ ...one, artifacts }];
  });
  return { ...manifest, components };
}

async function wantedOf(own: string): Promise<Pick<ReleaseManifest, "components" | "images">> {
  const { cluster, manifest } = await loadClusterAndRelease(join(own, "whole.yaml"));
  const derived = topology(cluster, manifest);
  return { components: wantedComponents(manifest, derived), images: wantedImages(manifest, derived, [platform]) };
}

/** Each in files of its own, with one PKI for all. */
async function buildOf(own: string, name: string, manifest: ReleaseManifest): Promise<void> {
  const config = join(own, `${name}.yaml`);
  writeFileSync(join(own, `${name}.release.yaml`), stringify(manifest));
  writeFileSync(
    config,
    `name: complete
release: ${join(own, `${name}.release.yaml`)}
runtime: ${/-1\.(6|11)$/.test(manifest.release) ? "docker" : "containerd"}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, control-plane, worker] }
`,
  );
  await build({
    config,
    output: join(own, `${name}.tar`),
    cache: join(folder, "cache"),
    mirrors: [],
    offline: true,
    http: {},
    registries: {},
    plaintextSecrets: false,
    force: false,
    strict: false,
    installers,
    now: new Date(),
    reporter: quiet,
    signal: new AbortController().signal,
  });
}

function anyOf(names: readonly string[]): RegExp {
  return new RegExp(names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|"));
}
