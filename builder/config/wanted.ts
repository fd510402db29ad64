/** Which parts of a release a cluster needs: those for roles that it has, and whose conditions hold. */
import type { Platform, Role } from "#bundle";
import type { Component, Condition, ReleaseImage, ReleaseManifest } from "./release.ts";
import type { Topology } from "./topology.ts";

/** Whether the cluster needs a component or an image of its release. */
function isWanted(entry: Pick<Component, "roles" | "when">, topology: Topology): boolean {
  const taken = new Set<Role>(topology.nodes.flatMap(({ roles }) => roles));
  return entry.roles.some((role) => taken.has(role)) && holds(entry.when ?? {}, topology);
}

/**
 * The components that the cluster needs, in the manifest's order, each with the artifacts to take: those of the first
 * alternative that the cluster asks for, else the component's own.
 */
export function wantedComponents(manifest: ReleaseManifest, topology: Topology): Component[] {
  return manifest.components
    .filter((component) => isWanted(component, topology))
    .map((component) => withAlternative(component, topology.cluster.alternatives));
}

function withAlternative(component: Component, asked: readonly string[]): Component {
  const name = asked.find((name) => component.alternatives[name] !== undefined);
  const artifacts = name === undefined ? undefined : component.alternatives[name];
  if (artifacts === undefined) return component;
  const version = artifacts[0]?.version ?? component.version;
  // What upstream lacks of the usual artifacts says nothing about these.
  return { ...component, artifacts, unavailable: {}, ...(version !== undefined && { version }) };
}

/** The images that the cluster's pods need on one of `platforms`, in the manifest's order. */
export function wantedImages(
  manifest: ReleaseManifest,
  topology: Topology,
  platforms: readonly Platform[],
): ReleaseImage[] {
  return manifest.images.filter(
    (image) => isWanted(image, topology) && (image.platform === undefined || platforms.includes(image.platform)),
  );
}

function holds(when: Condition, { cluster, network, api, addons }: Topology): boolean {
  return (
    (when.runtime ?? cluster.runtime) === cluster.runtime &&
    (when.plugin ?? network.plugin) === network.plugin &&
    (when.endpoint ?? api.endpoint) === api.endpoint &&
    (when.proxyMode ?? network.proxyMode) === network.proxyMode &&
    (when.addon === undefined || addons.includes(when.addon)) &&
    (when.tool === undefined || cluster.tools.includes(when.tool))
  );
}
