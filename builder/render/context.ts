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
import type { Pki } from "../pki/authority.ts";

export interface RenderInput {
  readonly topology: Topology;
  readonly pki: Pki;
  readonly fetched: readonly FetchedFile[];
  readonly manifest: ReleaseManifest;
  readonly own: OwnFiles;
  readonly manifests: readonly OwnManifest[];
}

export interface NodeContext {
  readonly topology: Topology;
  readonly node: TopologyNode;
  readonly paths: Paths;
  readonly pki: Pki;
  readonly manifest: ReleaseManifest;
  readonly own: OwnFiles;
  readonly manifests: readonly OwnManifest[];
  /** Names of the binaries that the release brings. */
  readonly binaries: ReadonlySet<string>;
}

/** The context of one node. */
export function contextOf(input: RenderInput, node: TopologyNode): NodeContext {
  const { topology, pki, manifest, own, manifests } = input;
  return {
    topology,
    node,
    paths: topology.paths,
    pki,
    manifest,
    own,
    manifests,
    binaries: new Set(input.fetched.map((file) => file.name)),
  };
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

/** Whether containerd is a service of its own here: always without docker, and beside a docker that is told to use it. */
export function runsContainerd(context: NodeContext): boolean {
  const { cluster, generation } = context.topology;
  return cluster.runtime === "containerd" || generation.dockerUsesContainerd;
}

export function runsDocker(context: NodeContext): boolean {
  return context.topology.cluster.runtime === "docker";
}

/**
 * Whether the kubelet leaves alone the images that the installer has labelled: kubelets do from 1.23 on, where the runtime
 * tells them, which containerd does of a label since 2.0 and docker never.
 */
export function keepsPinnedImages(context: NodeContext): boolean {
  return !runsDocker(context) && isAtLeast(context, "1.23") && isAtLeast(context, "2.0", "containerd");
}

/** flanneld as a service of the host, with its subnets in etcd. */
export function runsFlanneld(context: NodeContext): boolean {
  return context.topology.generation.daemons && context.topology.network.plugin === "flannel-etcd";
}

/** flannel from 0.20 on brings its CNI plugin in an image, and lives in a namespace of its own. */
export function flannelNamespace(context: NodeContext): string {
  return imageOf(context, "flannel-cni-plugin") === null ? "kube-system" : "kube-flannel";
}

/** etcdctl's API for what flannel keeps in etcd: its client is that of the v3 store since 0.18. */
export function etcdApiOfFlannel(context: NodeContext): "2" | "3" {
  return isAtLeast(context, "0.18", "flannel") ? "3" : "2";
}

export function usesLocalProxy(context: NodeContext): boolean {
  return context.topology.generation.daemons && context.topology.api.endpoint === "local-proxy";
}

export function usesVip(context: NodeContext): boolean {
  return context.topology.generation.daemons && context.topology.api.endpoint === "vip";
}
