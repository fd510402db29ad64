/** Rules on what cluster.yaml says of daemons' own configuration files: which releases have one, and what is not the operator's. */
import type { ClusterConfig } from "./cluster.ts";
import type { ReleaseManifest } from "./release.ts";
import type { RuleFinding } from "./rule.ts";
import { isSince } from "./versions.ts";

/** From which version of Kubernetes on a daemon is given a configuration file. */
export const readsFields = { kubelet: "1.11", "kube-proxy": "1.11", "kube-scheduler": "1.16" } as const;

/** Every field that cannot be set. */
export function fieldFindings(cluster: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  const daemons = Object.keys(readsFields) as (keyof typeof readsFields)[];
  return daemons.flatMap((daemon) =>
    Object.keys(cluster[daemon]).flatMap((field): RuleFinding[] => {
      const message = whyNot(daemon, field, manifest);
      return message === null ? [] : [{ path: [daemon, field], severity: "error", message }];
    }),
  );
}

function whyNot(
  daemon: keyof typeof readsFields,
  field: string,
  { kubernetes, release }: ReleaseManifest,
): string | null {
  if (kubernetes === null) return `release ${release} has no ${daemon}`;
  if (!isSince(kubernetes, readsFields[daemon]))
    return `${daemon} ${kubernetes} is given no configuration file; write it under flags.${daemon}`;
  if (field === "kind" || field === "apiVersion") return `${field} follows from the version of ${daemon}`;
  return null;
}
