/** Release `distro` with the etcd of another suite: what a newer bundle of the same cluster brings. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { digestOf } from "#bundle";
import type { Artifact } from "../../builder/config/release.ts";
import { loadRelease } from "../../builder/config/releases.ts";
import { cacheFolder } from "../../scripts/vm/cache.ts";
import { debOfSuite } from "./debs.ts";

/** Path of the manifest; the same text whenever the suite has the same packages. */
export async function etcdReleaseOf(suite: string): Promise<string> {
  const { manifest } = await loadRelease("distro");
  const artifacts = [
    await artifactOf("etcd-server", suite, { "usr/bin/etcd": "etcd" }),
    await artifactOf("etcd-client", suite, { "usr/bin/etcdctl": "etcdctl" }),
  ];
  const components = manifest.components.map((component) =>
    component.name === "etcd" ? { ...component, artifacts } : component,
  );
  const folder = join(cacheFolder, `etcd-of-${suite}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `etcd-of-${suite}.yaml`);
  const description = `${manifest.description}; etcd of ${suite}`;
  writeFileSync(path, stringify({ ...manifest, release: `etcd-of-${suite}`, description, components }));
  return path;
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
