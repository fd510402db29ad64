/** What cluster.yaml's manifests are read as, with what is wrong with them. */
import { messageOf } from "#cli/errors";
import type { ClusterConfig } from "./cluster.ts";
import { parseReference } from "./image-name.ts";
import type { OwnFiles } from "./own-files.ts";
import { type OwnManifest, readOwnManifest } from "./own-manifests.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type RuleFinding, warning } from "./rule.ts";

export interface ReadManifests {
  readonly manifests: readonly OwnManifest[];
  /** Images that their pods run, in the form of `images:` of cluster.yaml; none that it lists itself. */
  readonly images: ClusterConfig["images"];
  readonly findings: readonly RuleFinding[];
}

/** Every manifest that could be read, in the order of cluster.yaml. */
export function readManifests(cluster: ClusterConfig, own: OwnFiles): ReadManifests {
  const all = cluster.manifests.map((source, index) => {
    const bytes = own.get(source);
    const read = bytes === undefined ? none : readOwnManifest(source, bytes.toString("utf8"));
    return { ...read, findings: findingsOf(source, index, read) };
  });
  const manifests = all.flatMap((one) => one.manifests);
  const twice = manifests.filter(({ name }, index) => manifests.findIndex((one) => one.name === name) < index);
  const names = new Set(all.flatMap((one) => (one.findings.length === 0 ? one.images : [])));
  for (const { name } of cluster.images) names.delete(name);
  return {
    manifests,
    images: [...names].map((name) => ({ name, roles: ["master", "worker"] })),
    findings: [
      ...all.flatMap((one) => one.findings),
      ...all.flatMap((one) => one.images.filter(isLatest).map((image) => untagged(cluster, one.manifests, image))),
      ...twice.map(({ name, source }) =>
        error(["manifests", cluster.manifests.lastIndexOf(source)], `another file is called ${name} already`),
      ),
    ],
  };
}

/** They are applied by a master, to an API server. */
export function manifestFindings(
  { manifests, nodes }: ClusterConfig,
  { kubernetes, release }: ReleaseManifest,
): RuleFinding[] {
  if (manifests.length === 0) return [];
  if (kubernetes === null) return [error(["manifests"], `release ${release} has no API server that takes objects`)];
  const masters = nodes.some(({ roles }) => roles.includes("master"));
  return masters ? [] : [error(["manifests"], "no node has the role master, which would apply them")];
}

const none = { manifests: [], images: [], problems: [] };

function findingsOf(
  source: string,
  index: number,
  { problems, images }: ReturnType<typeof readOwnManifest>,
): RuleFinding[] {
  const path = ["manifests", index];
  return [
    ...problems.map((problem) => error(path, `${source}: ${problem}`)),
    ...images.flatMap((image) => {
      try {
        parseReference(image);
        return [];
      } catch (failure) {
        return [error(path, `${source}: ${messageOf(failure)}`)];
      }
    }),
  ];
}

function isLatest(image: string): boolean {
  try {
    return parseReference(image).tag === "latest";
  } catch {
    return false;
  }
}

function untagged(cluster: ClusterConfig, [first]: readonly OwnManifest[], image: string): RuleFinding {
  const source = first?.source ?? "";
  const message = `${source}: ${image} has no tag of its own, and the kubelet asks a registry for it at each start; name one`;
  return warning(["manifests", cluster.manifests.indexOf(source)], message);
}
