/** What a kubelet and a container runtime have to be told where their host is this machine, or a container on it: fields of cluster.yaml. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSince } from "#formats/version";
import { controllers } from "./container-cgroups.ts";
import type { RealKubernetes } from "./real-kubernetes.ts";

/** Kubelets of today start on cgroups of the first version only when told to: the kernel is this machine's. */
export function kubeletFields({ version }: Pick<RealKubernetes, "version">): string {
  return isSince(version, "1.31") && controllers().length > 0 ? "failCgroupV1: false" : "";
}

/** Root of a container, or of a machine that is one, may not set its pods before others when memory runs out. */
export function containerdFields({ folder }: RealKubernetes): string {
  const isTwo = folder !== null && existsSync(join(folder, "containerd"));
  const plugin = isTwo ? "io.containerd.cri.v1.runtime" : "io.containerd.grpc.v1.cri";
  return `plugins: { ${plugin}: { restrict_oom_score_adj: true } }`;
}
