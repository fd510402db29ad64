/** What every part of rendering knows about one node. */
import type { Role } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { OwnFiles } from "../config/own-files.ts";
import type { OwnManifest } from "../config/own-manifests.ts";
import type { ReleaseManifest } from "../config/release.ts";
import type { Paths, Topology, TopologyNode } from "../config/topology.ts";
import { isSince } from "#formats/version";
import { versionOf } from "../config/versions.ts";
import type { FetchedFile } from "../sources/fetched.ts";
import type { Pki } from "./credentials.ts";

export interface RenderInput {
  readonly topology: Topology;
  readonly pki: Pki;
  readonly fetched: readonly FetchedFile[];
  readonly manifest: ReleaseManifest;
  readonly own: OwnFiles;
  readonly manifests: readonly OwnManifest[];
}

export interface NodeContext extends Omit<RenderInput, "fetched"> {
  readonly node: TopologyNode;
  readonly paths: Paths;
  /** Names of the binaries that the release brings. */
  readonly binaries: ReadonlySet<string>;
}

/** The context of one node. */
export function contextOf({ fetched, ...input }: RenderInput, node: TopologyNode): NodeContext {
  return { ...input, node, paths: input.topology.paths, binaries: new Set(fetched.map(({ name }) => name)) };
}

export function has(context: NodeContext, role: Role): boolean {
  return context.node.roles.includes(role);
}

/** Whether the release has `component` in `version` or later; what it has not is of no version. */
export function isAtLeast(context: NodeContext, version: string, component = "kubernetes"): boolean {
  const own = versionOf(component, context.manifest);
  return own !== null && isSince(own, version);
}

/** Path of a binary on the node: ours where the release brings it, the distribution's otherwise. */
export function binary(context: NodeContext, name: string, elsewhere = "/usr/sbin"): string {
  return context.binaries.has(name) ? `${context.paths.binaries}/${name}` : `${elsewhere}/${name}`;
}

/** The image of the release that is called `name` (`pause` finds `registry.k8s.io/pause-amd64:3.0`); null where it has none. */
export function imageOf(context: NodeContext, name: string): string | null {
  const names = [name, `${name}-amd64`];
  const found = context.manifest.images.find((image) =>
    names.includes(/([^/:]+)(:[^/]*)?$/.exec(image.name)?.[1] ?? ""),
  );
  return found?.name ?? null;
}

/** As {@link imageOf}, by the first of these names that the release has; INCOMPLETE where it has none. */
export function neededImage(context: NodeContext, ...names: readonly [string, ...string[]]): string {
  const found = names.map((name) => imageOf(context, name)).find((image) => image !== null);
  if (found !== undefined) return found;
  const { release } = context.manifest;
  throw new ExpectedError("INCOMPLETE", `release ${release} has no image ${names.join(" or ")}, which its pods need`, {
    where: `release ${release}`,
    expected: names.join(" or "),
    found: "nothing of that name among its images",
    hint: "add it to images: of the release manifest, and run kubeferry lock",
  });
}

/** What is the same on every node of a cluster. */
export type Cluster = Pick<NodeContext, "topology">;

/** Whether Kubernetes' own daemons are rendered. */
export const kubernetes = ({ topology }: Cluster): boolean => topology.release.kubernetes !== null;

export const addon =
  (name: string) =>
  (cluster: Cluster): boolean =>
    kubernetes(cluster) && cluster.topology.addons.includes(name);

export const plugin =
  (name: Topology["network"]["plugin"]) =>
  (cluster: Cluster): boolean =>
    kubernetes(cluster) && cluster.topology.network.plugin === name;

/** How the API is reached from nodes. */
export const endpoint =
  (name: Topology["api"]["endpoint"]) =>
  (cluster: Cluster): boolean =>
    kubernetes(cluster) && cluster.topology.api.endpoint === name;

/** flanneld as a service of the host, with its subnets in etcd. */
export const runsFlanneld = plugin("flannel-etcd");
export const usesLocalProxy = endpoint("local-proxy");

/** Whether containerd is a service of its own here: always without docker, and beside a docker that is told to use it. */
export function runsContainerd({ topology }: Cluster): boolean {
  return topology.cluster.runtime === "containerd" || topology.generation.dockerUsesContainerd;
}

export function runsDocker({ topology }: Cluster): boolean {
  return topology.cluster.runtime === "docker";
}

/** flannel from 0.20 on brings its CNI plugin in an image, and lives in a namespace of its own. */
export function flannelNamespace(context: NodeContext): string {
  return imageOf(context, "flannel-cni-plugin") === null ? "kube-system" : "kube-flannel";
}

/** etcdctl's API for what flannel keeps in etcd: its client is that of the v3 store since 0.18. */
export function etcdApiOfFlannel(context: NodeContext): "2" | "3" {
  return isAtLeast(context, "0.18", "flannel") ? "3" : "2";
}

/** Path of a file in one of the folders of a node: `path("cniConfig", "99-loopback.conf")`. */
export const path =
  (folder: keyof Paths, name: string) =>
  ({ paths }: Pick<NodeContext, "paths">): string =>
    `${paths[folder]}/${name}`;

/** Path of a file below /etc/kubernetes. */
export const config = (name: string): ReturnType<typeof path> => path("config", name);
/** Path of a certificate or key: `pem("pki", "ca")`. */
export const pem = (folder: "pki" | "etcdPki", name: string): ReturnType<typeof path> => path(folder, `${name}.pem`);

/** Of RBAC's objects. */
export const rbacVersion = (context: NodeContext): string =>
  `rbac.authorization.k8s.io/${isAtLeast(context, "1.8") ? "v1" : "v1beta1"}`;
