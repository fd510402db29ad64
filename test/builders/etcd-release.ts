/** A release with the etcd of another suite: what a newer bundle of the same cluster brings. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { digestOf } from "#bundle";
import { compareVersions } from "#formats/version";
import type { Artifact } from "../../builder/config/release.ts";
import { loadRelease } from "../../builder/config/releases.ts";
import { cacheFolder } from "../../scripts/vm/cache.ts";
import { debOfSuite } from "./debs.ts";

/** Path of the manifest, the same text whenever the suite has the same packages; `base` itself where its etcd is newer. */
export async function etcdReleaseOf(suite: string, base = "distro"): Promise<string> {
  const { manifest } = await loadRelease(base);
  const artifacts = [
    await artifactOf("etcd-server", suite, { "usr/bin/etcd": "etcd" }),
    await artifactOf("etcd-client", suite, { "usr/bin/etcdctl": "etcdctl" }),
  ];
  const own = manifest.components.find(({ name }) => name === "etcd")?.version;
  const { version } = versionOf(artifacts);
  if (own !== undefined && version !== undefined && compareVersions(own, version) > 0) return base;
  const components = manifest.components.map((component) =>
    component.name === "etcd" ? { ...component, ...versionOf(artifacts), artifacts } : component,
  );
  const folder = join(cacheFolder, `etcd-of-${suite}`, digestOf(base).slice(0, 16));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `etcd-of-${suite}.yaml`);
  const description = `${manifest.description}; etcd of ${suite}`;
  writeFileSync(path, stringify({ ...manifest, release: `etcd-of-${suite}`, description, components }));
  return path;
}

/** What the .deb is called says which: etcd-server_3.5.16-4_amd64.deb. */
function versionOf(artifacts: readonly Artifact[]): { version?: string } {
  const version = /_(\d+\.\d+\.\d+)/.exec(artifacts[0]?.from ?? "")?.[1];
  return version === undefined ? {} : { version };
}

async function artifactOf(name: string, suite: string, files: Record<string, string>): Promise<Artifact> {
  const deb = await debOfSuite(name, suite);
  return {
    platform: "linux/amd64",
    from: `file:${deb}`,
    mirrors: [],
    digest: `sha256:${digestOf(readFileSync(deb))}`,
    source: `the signed package index of ${suite}`,
    files,
  };
}
