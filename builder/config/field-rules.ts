/** Rules on what cluster.yaml says of daemons' own configuration files: which releases have one, and what is not the operator's. */
import type { ClusterConfig } from "./cluster.ts";
import { generations } from "./generations.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type RuleFinding } from "./rule.ts";
import { isSince } from "#formats/version";

/** From which version of Kubernetes on a daemon is given a configuration file. */
export const readsFields = { kubelet: "1.11", "kube-proxy": "1.11", "kube-scheduler": "1.16" } as const;

type Configured = keyof typeof readsFields | "containerd" | "docker";

/** What is decided elsewhere: by the version, or by a setting of cluster.yaml that other files follow as well. */
const decided: Readonly<Record<Configured, Readonly<Record<string, string>>>> = {
  kubelet: { kind: "its version", apiVersion: "its version" },
  "kube-proxy": { kind: "its version", apiVersion: "its version" },
  "kube-scheduler": { kind: "its version", apiVersion: "its version" },
  containerd: {
    version: "its version",
    root: "directories.containerd",
    state: "the kubelet, which looks in /run/containerd",
  },
  docker: { "data-root": "directories.docker", graph: "directories.docker" },
};

/** Every field that cannot be set. */
export function fieldFindings(cluster: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  return (Object.keys(decided) as Configured[]).flatMap((daemon) => {
    const absent = whyAbsent(daemon, cluster, manifest);
    return Object.entries(cluster[daemon]).flatMap(([field, value]) => {
      const by = Object.hasOwn(decided[daemon], field) ? decided[daemon][field] : undefined;
      const message = absent ?? (by === undefined ? untold(daemon, value) : `${field} of ${daemon} follows from ${by}`);
      return message === null ? [] : [error([daemon, field], message)];
    });
  });
}

/** Why no file of the daemon is rendered; null where one is. */
function whyAbsent(
  daemon: Configured,
  { runtime }: ClusterConfig,
  { kubernetes, release, generation }: ReleaseManifest,
): string | null {
  if (daemon === "docker") return runtime === "docker" ? null : "docker runs here only with `runtime: docker`";
  if (daemon === "containerd") {
    const runs = runtime === "containerd" || generations[generation].dockerUsesContainerd;
    return runs ? null : "docker starts a containerd of its own here, with a file of its own";
  }
  if (kubernetes === null) return `release ${release} has no ${daemon}`;
  if (isSince(kubernetes, readsFields[daemon])) return null;
  return `${daemon} ${kubernetes} is given no configuration file; write it under flags.${daemon}`;
}

/** TOML has no null. */
function untold(daemon: Configured, value: unknown): string | null {
  return daemon === "containerd" && holdsNull(value) ? "a field of containerd cannot be empty (null)" : null;
}

function holdsNull(value: unknown): boolean {
  if (typeof value !== "object") return false;
  return value === null || Object.values(value).some(holdsNull);
}
