/** The order in which hosts are changed: etcd, then the control plane, then workers. Pure. */
import type { Host } from "./inventory.ts";

export interface Group {
  readonly name: "etcd" | "control plane" | "workers";
  readonly hosts: readonly Host[];
  /** Hosts at a time: one where the cluster bears the loss of one only. */
  readonly parallel: number;
}

/** A host with several roles is where the first of them is. */
export function groupsOf(hosts: readonly Host[], parallel: number): Group[] {
  const name = ({ roles }: Host): Group["name"] =>
    roles.includes("etcd") ? "etcd" : roles.includes("master") ? "control plane" : "workers";
  return (["etcd", "control plane", "workers"] as const)
    .map((group) => ({
      name: group,
      hosts: hosts.filter((host) => name(host) === group),
      parallel: group === "workers" ? parallel : 1,
    }))
    .filter((group) => group.hosts.length > 0);
}
