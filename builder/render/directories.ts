/** Directories that must be there before a unit starts, or that are ours to remove again. */
import type { Role } from "#bundle";
import { registryFolder } from "./configurations/containerd.ts";
import { has, type NodeContext, runsContainerd, runsDocker } from "./context.ts";

export interface NodeDirectory {
  readonly path: string;
  readonly mode: string;
  readonly roles: readonly Role[];
}

/** The directories of one node. Folders that only hold our files are made with those files. */
export function directoriesOf(context: NodeContext): NodeDirectory[] {
  const { topology, paths } = context;
  const { daemons } = topology.generation;
  const all: (NodeDirectory & { when?: boolean })[] = [
    { path: topology.etcd.dataDir, mode: "0700", roles: ["etcd"] },
    { path: topology.etcd.walDir ?? "", mode: "0700", roles: ["etcd"], when: topology.etcd.walDir !== null },
    { path: paths.etcdPki, mode: "0755", roles: ["etcd"] },
    { path: paths.pki, mode: "0755", roles: ["master"] },
    { path: "/root/.kube", mode: "0700", roles: ["master"] },
    { path: paths.auditLog, mode: "0700", roles: ["master"], when: daemons && topology.cluster.audit },
    // The modes that containerd and dockerd give their folders themselves.
    { path: paths.containerd, mode: "0700", roles: ["worker"], when: runsContainerd(context) },
    // Empty at first: an operator puts the addresses of registries inside the gap here.
    { path: registryFolder, mode: "0755", roles: ["worker"], when: runsContainerd(context) },
    { path: paths.docker, mode: "0710", roles: ["worker"], when: runsDocker(context) },
    // containerd makes this one when it starts; ours from the beginning, it is also removed by undo.
    { path: paths.cniConfig, mode: "0755", roles: ["worker"], when: daemons || runsContainerd(context) },
    { path: paths.kubelet, mode: "0750", roles: ["worker"], when: daemons },
    { path: paths.kubeletPki, mode: "0755", roles: ["worker"], when: daemons },
    { path: paths.kubeProxy, mode: "0755", roles: ["worker"], when: daemons },
  ];
  const merged = new Map<string, NodeDirectory>();
  for (const { path, mode, roles, when } of all) {
    if (when === false || !roles.some((role) => has(context, role))) continue;
    const known = merged.get(path);
    merged.set(path, { path, mode: known?.mode ?? mode, roles: [...new Set([...(known?.roles ?? []), ...roles])] });
  }
  return [...merged.values()];
}
