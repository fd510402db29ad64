/** How a master asks its own cluster: the bundle's kubectl with the administrator's kubeconfig of this node. */
import { ExpectedError } from "#cli/errors";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf } from "../resources/object-answer.ts";

const kubectlClient: readonly string[] = ["/usr/local/bin/kubectl", `--kubeconfig=${adminKubeconfig}`];
/** Where manifests and facts of Kubeferry itself lie on a node. */
export const ownFolder = "/etc/kubernetes/kubeferry";
const environment = { HOME: "/proc" };
const timeout = "--request-timeout=30s";

export interface Cluster {
  /** What kubectl prints as JSON. UNHEALTHY where the API does not answer. */
  get<T>(...words: readonly string[]): Promise<T>;
  /** Whether it ends well, and what it says. */
  try(...words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly said: string }>;
  /** The effect of running kubectl. */
  effect(...words: readonly string[]): Effect;
}

/** The cluster as `host` reaches it; `client` is kubectl with its kubeconfig. */
export function clusterOf(host: HostReader, client: readonly string[] = kubectlClient): Cluster {
  return {
    async get<T>(...words: readonly string[]): Promise<T> {
      const argv = [...client, timeout, "get", ...words, "-o", "json"];
      const { code, stdout, said } = await answerOf(host, argv, environment);
      if (code === 0) return JSON.parse(stdout) as T;
      throw new ExpectedError("UNHEALTHY", `the cluster does not answer: ${said}`, {
        where: argv.join(" "),
        hint: "./install status, on a master",
      });
    },
    try: (...words) => answerOf(host, [...client, timeout, ...words], environment),
    effect: (...words) => ({ do: "run", argv: [...client, timeout, ...words], environment, timeoutSeconds: 120 }),
  };
}

export interface ClusterFacts {
  readonly nodes: readonly { readonly name: string; readonly ip: string; readonly ip6?: string }[];
  readonly workers: { readonly subnet: string } | null;
  /** `172.30.0.0/16`; in dual stack `172.30.0.0/16,fd00:172:30::/56`. */
  readonly pods: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/** By a bootstrap token's id, its node; null: any worker that comes and goes. */
export type TokenOwners = Readonly<Record<string, string | null>>;

/** Whose each bootstrap token is, on masters. */
export async function tokenOwners(host: HostReader, folder = ownFolder): Promise<TokenOwners> {
  return JSON.parse((await host.read(`${folder}/token-owners.json`)) ?? "{}") as TokenOwners;
}

/** What the bundle says of the cluster, on its masters. USAGE on any other host. */
export async function clusterFacts(host: HostReader, folder = ownFolder): Promise<ClusterFacts> {
  const text = await host.read(`${folder}/cluster.json`);
  if (text !== null) return JSON.parse(text) as ClusterFacts;
  throw new ExpectedError("USAGE", "this host is no master of a cluster of Kubeferry", {
    where: `${folder}/cluster.json`,
    hint: "run it on a master",
  });
}
