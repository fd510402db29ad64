/** A folder with a cluster.yaml that `kubeferry build` can build in seconds, without a network and without real programs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeStandInRelease } from "./stand-in-release.ts";

export interface StandInCluster {
  readonly folder: string;
  /** cluster.yaml, of one node that is all. */
  readonly config: string;
  /** Options of every command that fetches: a store of its own, and stand-ins for the installers. */
  readonly store: readonly string[];
  readonly installers: readonly string[];
}

/** `extra`: further lines of cluster.yaml. */
export async function standInCluster(folder: string, extra = ""): Promise<StandInCluster> {
  mkdirSync(join(folder, "installers"), { recursive: true });
  const release = await writeStandInRelease(folder, "kubernetes-1.36", { platform: "linux/amd64" });
  writeFileSync(join(folder, "installers/install"), "#!/bin/sh\nexit 0\n");
  writeFileSync(join(folder, "installers/install-linux-amd64"), "a stand-in, not an executable\n");
  const config = join(folder, "cluster.yaml");
  const node = "{ name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }";
  const provides = "host: { provides: [/bin/sh] }";
  writeFileSync(config, `name: plant-7\nrelease: ${release}\nnodes:\n  - ${node}\n${provides}\n${extra}`);
  return {
    folder,
    config,
    store: ["--cache", join(folder, "store"), "--offline"],
    installers: ["--installers", join(folder, "installers")],
  };
}
