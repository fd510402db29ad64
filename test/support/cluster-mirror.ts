/** What a folder must hold for the suite on a real cluster, and what of it is missing. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseCluster } from "../../builder/config/load.ts";
import { topology } from "../../builder/config/topology.ts";
import { wantedImages } from "../../builder/config/wanted.ts";
import { placesFor } from "../../builder/fetch/places.ts";
import { neededComponents } from "../../builder/lock/needed.ts";

const platform = "linux/amd64" as const;

export interface NeededArtifact {
  readonly component: string;
  readonly from: string;
  /** Upstream's, where the release has it; otherwise `lock` reads it from upstream's list. */
  readonly digest: string | null;
  /** Paths below the mirror at which it is looked for, the first being the plain one. */
  readonly paths: readonly string[];
}

export interface NeededImage {
  readonly name: string;
  /** An OCI layout below the mirror, `images/registry.k8s.io/pause`, and the tag in it. */
  readonly layout: string;
  readonly tag: string;
}

export interface Needs {
  readonly artifacts: readonly NeededArtifact[];
  readonly images: readonly NeededImage[];
}

/** What building this cluster.yaml takes from upstream. */
export async function needsOf(clusterYaml: string): Promise<Needs> {
  const { cluster, manifest } = await parseCluster("cluster.yaml", clusterYaml);
  const artifacts = neededComponents(cluster, manifest).flatMap((component) =>
    component.artifacts
      .filter((artifact) => artifact.platform === platform && !artifact.from.startsWith("apt:"))
      .map(({ from, mirrors, digest }) => {
        const places = placesFor({ resolved: from, mirrors, platform }, { mirrors: ["/"], offline: true });
        const paths = places.flatMap((place) => (place.kind === "file" && place.mirror ? [place.path.slice(1)] : []));
        return { component: component.name, from, digest: digest ?? null, paths };
      }),
  );
  const images = wantedImages(manifest, topology(cluster, manifest), [platform]).map(({ name }) => {
    const [repository = name, tag = "latest"] = name.split(/:(?=[^/]*$)/);
    return { name, layout: `images/${repository}`, tag };
  });
  return { artifacts, images };
}

/** Lines for people: each artifact's URL and digest, and how each image comes into the folder. */
export function describeNeeds({ artifacts, images }: Needs): string[] {
  return [
    ...artifacts.map(({ from, digest }) => `${from}   ${digest ?? "digest: upstream's list"}`),
    ...images.map(({ name, layout, tag }) => `skopeo copy --all docker://${name} oci:DIR/${layout}:${tag}`),
  ];
}

/** Lines as {@link describeNeeds} for what `folder` has not. */
export function missingIn(folder: string, { artifacts, images }: Needs): string[] {
  return describeNeeds({
    artifacts: artifacts.filter(({ paths }) => !paths.some((path) => existsSync(join(folder, path)))),
    images: images.filter(({ layout }) => !isLayout(join(folder, layout))),
  });
}

function isLayout(path: string): boolean {
  return existsSync(path) && readdirSync(path).includes("index.json");
}

/** The lines of cluster.yaml that take images from the mirror. */
export function imageLines(folder: string, { images }: Needs): string {
  const lines = images.map(
    ({ name, layout, tag }) => `  - { name: "${name}", from: "oci:${join(folder, layout)}:${tag}" }\n`,
  );
  return lines.length === 0 ? "" : `images:\n${lines.join("")}`;
}
