/** What of its release, and of its own, a cluster needs. Pure. */
import type { Platform, Role } from "#bundle";
import type { ClusterConfig } from "../config/cluster.ts";
import type { Component, ReleaseManifest } from "../config/release.ts";
import { topology } from "../config/topology.ts";
import { wantedComponents, wantedImages } from "../config/wanted.ts";

/** Those for roles that the cluster has and whose `when` holds, in the manifest's order. */
export function neededComponents(cluster: ClusterConfig, manifest: ReleaseManifest): Component[] {
  return wantedComponents(manifest, topology(cluster, manifest));
}

export interface NeededImage {
  readonly name: string;
  readonly platform: Platform;
  readonly digest?: string | undefined;
  readonly from?: string | undefined;
  readonly roles: Role[];
}

/** Images of the release, and the operator's own from `images:` of cluster.yaml, which win. */
export function neededImages(cluster: ClusterConfig, manifest: ReleaseManifest, platform: Platform): NeededImage[] {
  const released = wantedImages(manifest, topology(cluster, manifest), [platform]);
  const own = new Map(cluster.images.map((image) => [image.name, image]));
  return [
    ...released.map(({ name, digest, roles, from }) => ({
      name,
      platform,
      digest,
      roles,
      from: own.get(name)?.from ?? from,
    })),
    ...cluster.images
      .filter(({ name }) => !released.some((image) => image.name === name))
      .map(({ name, from, roles }) => ({ name, platform, from, roles })),
  ];
}
