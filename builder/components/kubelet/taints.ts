/** Taints of nodes. */
import { type Cluster, type NodeContext } from "../context.ts";

/** Key of masters' label and taint. */
export const masterLabel = ({ topology }: Cluster): string =>
  `node-role.kubernetes.io/${topology.generation.masterRole}`;

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** Taints with which a node registers: those of cluster.yaml, and that of a master where others can run the pods. */
export function taintsOf({ topology, node }: NodeContext): Taint[] {
  const others = topology.workers.some((worker) => !worker.roles.includes("master"));
  const key = masterLabel({ topology });
  const own = node.roles.includes("master") && others ? [{ key, value: "", effect: "NoSchedule" }] : [];
  const asked = node.taints.map((taint) => {
    const [pair = "", effect = ""] = taint.split(":");
    const [key = "", value = ""] = pair.split("=");
    return { key, value, effect };
  });
  return [...own, ...asked];
}
