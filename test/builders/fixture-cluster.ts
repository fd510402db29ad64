/** Clusters for tests of rendering, from a text of cluster.yaml and the real release manifests. */
import { parseCluster } from "../../builder/config/load.ts";
import type { OwnFiles } from "../../builder/config/own-files.ts";
import type { OwnManifest } from "../../builder/config/own-manifests.ts";
import type { ReleaseManifest } from "../../builder/config/release.ts";
import { type Topology, topology } from "../../builder/config/topology.ts";
import type { Pki } from "../../builder/components/credentials.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { render } from "../../builder/render/render.ts";
import { fixturePki } from "./fixture-pki.ts";
import { fixtureFetched } from "./fixture-release.ts";

export interface FixtureCluster {
  readonly topology: Topology;
  readonly manifest: ReleaseManifest;
  readonly own: OwnFiles;
  readonly manifests: readonly OwnManifest[];
}

/** The topology of a cluster.yaml given as text, as if it lay at `path`; throws what loading it throws. */
export async function fixtureCluster(text: string, path = "cluster.yaml"): Promise<FixtureCluster> {
  const { cluster, manifest, own, manifests } = await parseCluster(path, text);
  return { topology: topology(cluster, manifest), manifest, own, manifests };
}

/** Renders a cluster with binaries of names only, and with placeholders for keys unless a PKI is given. */
export function renderFixture(
  { topology, manifest, own, manifests }: FixtureCluster,
  pki: Pki = fixturePki(topology),
): Rendered {
  return render({ topology, manifest, pki, own, manifests, fetched: fixtureFetched(manifest, topology) });
}
