/** What fetching a release would give, for tests of rendering: real names, no bytes. */
import { digestOf, type Platform } from "#bundle";
import type { ReleaseManifest } from "../../builder/config/release.ts";
import type { Topology } from "../../builder/config/topology.ts";
import { wantedComponents } from "../../builder/config/wanted.ts";
import type { FetchedFile } from "../../builder/sources/fetched.ts";

/** What `*` stands for in the manifests: the plugins of an archive that is taken whole. */
const plugins = ["bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "tuning"];

/** Every file of the components that a cluster wants, for one platform; a digest is that of the file's name. */
export function fixtureFetched(
  manifest: ReleaseManifest,
  topology: Topology,
  platform: Platform = "linux/amd64",
): FetchedFile[] {
  return wantedComponents(manifest, topology).flatMap((component) =>
    component.artifacts
      .filter((artifact) => artifact.platform === platform)
      .flatMap((artifact) => Object.values(artifact.files))
      .flatMap((name) => (name === "*" ? plugins : [name]))
      .map((name) => ({
        name,
        component: component.name,
        platform,
        digest: digestOf(name),
        size: name.length,
        origin: {
          from: "artifact" as const,
          url: "file:/fixture",
          digest: "sha256:fixture",
          pinnedBy: "release" as const,
        },
      })),
  );
}
