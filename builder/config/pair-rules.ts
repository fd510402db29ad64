/** Which versions run together: Kubernetes with its etcd, its runtime and its proxy mode. A wrong pair is refused with the reason. */
import { generations } from "./generations.ts";
import type { ClusterConfig } from "./cluster.ts";
import type { ReleaseManifest } from "./release.ts";
import type { KeyPath } from "./positions.ts";
import { error, type RuleFinding, warning } from "./rule.ts";
import { compareVersions, isSince } from "#formats/version";
import { versionOf } from "./versions.ts";

interface Pair {
  readonly path: KeyPath;
  /** Whether these versions of Kubernetes and of a component are a wrong pair. */
  readonly wrong: (kubernetes: string, component: string) => boolean;
  /** A component of the release, of which the rule speaks. */
  readonly component: "etcd" | "containerd";
  readonly reason: string;
  readonly when?: (cluster: ClusterConfig) => boolean;
}

const pairs: readonly Pair[] = [
  {
    component: "etcd",
    path: ["release"],
    wrong: (kubernetes, etcd) => isSince(kubernetes, "1.24") && !isSince(etcd, "3.4"),
    reason: "from 1.24 on its API server is not tried with an etcd older than 3.4",
  },
  {
    component: "containerd",
    path: ["runtime"],
    when: ({ runtime }) => runtime === "containerd",
    wrong: (kubernetes, containerd) => isSince(kubernetes, "1.26") && !isSince(containerd, "1.6"),
    reason: "from 1.26 on its kubelet speaks only CRI v1, which containerd has since 1.6",
  },
  {
    component: "containerd",
    path: ["runtime"],
    when: ({ runtime }) => runtime === "containerd",
    wrong: (kubernetes, containerd) => !isSince(kubernetes, "1.23") && isSince(containerd, "2.0"),
    reason: "until 1.22 its kubelet speaks only CRI v1alpha2, which containerd 2.0 took out",
  },
];

/** Every wrong pair of a cluster and its release. */
export function pairFindings(cluster: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  const { kubernetes } = manifest;
  if (kubernetes === null) return [];
  const found = pairs.flatMap(({ component, path, wrong, reason, when }) => {
    const version = versionOf(component, manifest);
    if (version === null || when?.(cluster) === false || !wrong(kubernetes, version)) return [];
    return [error(path, `Kubernetes ${kubernetes} and ${component} ${version} do not go together: ${reason}`)];
  });
  return [...found, ...proxyMode(cluster, kubernetes), ...sharedEtcd(cluster, manifest)];
}

function sharedEtcd({ network }: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  if ((network.plugin ?? generations[manifest.generation].plugin) !== "flannel-etcd") return [];
  const message =
    "flannel-etcd gives each worker a key to all of etcd, Kubernetes' own data included; see docs/threat-model.md";
  return [warning(["network", "plugin"], message)];
}

function proxyMode({ network }: ClusterConfig, kubernetes: string): RuleFinding[] {
  if (network.proxyMode === "ipvs" && !knowsNewConntrack(kubernetes)) {
    const message = `kube-proxy ${kubernetes} has mode ipvs only on kernels before 4.19, and works as iptables on others`;
    return [warning(["network", "proxyMode"], message)];
  }
  if (network.proxyMode !== "nftables" || isSince(kubernetes, nftablesSince)) return [];
  const message = `kube-proxy ${kubernetes} has no proxy mode nftables yet: it came with ${nftablesSince}; write iptables`;
  return [error(["network", "proxyMode"], message)];
}

/** Behind no feature gate. */
const nftablesSince = "1.31";

/** Older ones want the module nf_conntrack_ipv4 for mode ipvs, which went into nf_conntrack with 4.19 (kubernetes#75241). */
function knowsNewConntrack(kubernetes: string): boolean {
  return compareVersions(kubernetes, "1.11.10") >= 0;
}

/** How kube-proxy works where cluster.yaml does not say. */
export function usualProxyMode({ generation, kubernetes }: ReleaseManifest): "iptables" | "ipvs" | "nftables" {
  const { proxyMode } = generations[generation];
  if (kubernetes === null) return proxyMode;
  const lacks = {
    iptables: false,
    ipvs: !knowsNewConntrack(kubernetes),
    nftables: !isSince(kubernetes, nftablesSince),
  };
  return lacks[proxyMode] ? "iptables" : proxyMode;
}
