/** Versions of what a release is made of: every difference between releases is asked by them. */
import type { ReleaseManifest } from "./release.ts";

/** What Debian 12 has, the oldest distribution that Kubeferry takes, for components whose version the distribution decides (`apt:`). */
const ofDistribution: Readonly<Record<string, string>> = {
  etcd: "3.4",
  containerd: "1.6",
  runc: "1.1",
  docker: "20.10",
};

/**
 * The version of `kubernetes`, of a component, or of an image's program (`coredns`), without a leading v.
 * Null where the release has none.
 */
export function versionOf(name: string, manifest: ReleaseManifest): string | null {
  if (name === "kubernetes") return manifest.kubernetes;
  const component = manifest.components.find((one) => one.name === name);
  const version = component === undefined ? tagOf(name, manifest) : (component.version ?? ofDistribution[name]);
  return version?.replace(/^v/, "") ?? null;
}

/** `registry.k8s.io/coredns/coredns:v1.14.2` is coredns 1.14.2, and so is `coredns-amd64:1.14.2`. */
function tagOf(name: string, { images }: ReleaseManifest): string | undefined {
  const tags = images.flatMap((image) => {
    const [, last, tag] = /([^/:]+):([^/:]+)$/.exec(image.name) ?? [];
    return last === name || last === `${name}-amd64` ? (tag ?? []) : [];
  });
  return tags[0];
}
