/** Which components of a release a cluster needs. Pure. */
import type { ClusterConfig } from "../config/cluster.ts";
import type { Component, ReleaseManifest } from "../config/release.ts";
import { topology } from "../config/topology.ts";
import { wantedComponents } from "../config/wanted.ts";

/** Those for roles that the cluster has and whose `when` holds, in the manifest's order. */
export function neededComponents(cluster: ClusterConfig, manifest: ReleaseManifest): Component[] {
  return wantedComponents(manifest, topology(cluster, manifest));
}
