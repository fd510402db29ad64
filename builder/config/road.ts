/** The road from one minor of Kubernetes to a later one: a step for each minor, and what each needs. */
import { parse } from "yaml";
import * as z from "zod";
import { ExpectedError } from "#cli/errors";
import { isSince } from "#formats/version";
import type { ClusterConfig } from "./cluster.ts";
import { generations } from "./generations.ts";
import { readManifest } from "./manifests.ts";
import { usualProxyMode } from "./pair-rules.ts";
import type { ReleaseManifest } from "./release.ts";
import { loadRelease } from "./releases.ts";
import { findSeries } from "./series.ts";
import { versionOf } from "./versions.ts";

export interface RemovedApi {
  /** `apps/v1beta1` */
  readonly api: string;
  readonly kinds: readonly string[];
  /** What to write instead. */
  readonly now: string;
}

export interface Step {
  readonly from: string;
  readonly to: string;
  readonly release: string;
  /** Versions of what changes besides Kubernetes: `etcd 3.4.3 → 3.5.33`. */
  readonly changes: readonly string[];
  /** What is to be done, or seen to, before it. */
  readonly needs: readonly string[];
  /** What the step's API server no longer serves. */
  readonly removed: readonly RemovedApi[];
  /** How far behind its kubelets may stay meanwhile. */
  readonly oldestKubelet: string;
}

const removals = z.record(
  z.string(),
  z.array(z.strictObject({ api: z.string(), kinds: z.array(z.string()).min(1), now: z.string() })),
);

/** APIs that `minor` (`1.22`) serves no longer, and the one before it did. */
function removedIn(minor: string): readonly RemovedApi[] {
  return removals.parse(parse(readManifest("removed-apis.yaml") ?? "{}"))[minor] ?? [];
}

/** Where the road stops: a minor with its release, and the cluster as it is to be there, where that is known. */
export interface Stop {
  readonly minor: string;
  readonly manifest: ReleaseManifest;
  readonly cluster?: ClusterConfig;
}

/** The steps in their order. USAGE for what is no minor, or lies behind; RELEASE_UNKNOWN where one is not carried. */
export async function road(from: string, to: string): Promise<Step[]> {
  const load = async (minor: string): Promise<Stop> => ({
    minor,
    manifest: (await loadRelease(releaseOfMinor(minor))).manifest,
  });
  return stepsBetween(await Promise.all(minorsBetween(from, to).map(load)));
}

/** `1.16`, `1.19` → `1.16` to `1.19`. USAGE as {@link road}. */
export function minorsBetween(from: string, to: string): string[] {
  const [first, last] = [minorOf(from), minorOf(to)];
  if (first === last) {
    throw new ExpectedError("USAGE", `the cluster is at 1.${last} already`, {
      where: `--to ${to}`,
      hint: "kubeferry releases   lists what there is",
    });
  }
  if (first > last) {
    throw new ExpectedError("USAGE", `there is no road from ${from} to ${to}: Kubernetes goes up only`, {
      where: `--from ${from} --to ${to}`,
      hint: `kubeferry plan-upgrade --from ${to} --to ${from}`,
    });
  }
  return Array.from({ length: last - first + 1 }, (_, index) => `1.${first + index}`);
}

/** Upstream's newest patch of a minor: of 1.20 there is also a release of the distribution's programs, older than 1.19's. */
export function releaseOfMinor(minor: string): string {
  const found = findSeries(`kubernetes-${minor}`);
  return `kubernetes-${found?.version ?? minor}`;
}

/** A step from each stop to the next. */
export function stepsBetween(stops: readonly Stop[]): Step[] {
  return stops.slice(1).flatMap((next, index) => {
    const before = stops[index];
    return before === undefined ? [] : [stepOf(before, next)];
  });
}

function stepOf(before: Stop, next: Stop): Step {
  const parts = [
    "etcd",
    "containerd",
    "runc",
    "docker",
    "cni-plugins",
    "flannel",
    "calicoctl",
    "coredns",
    "metrics-server",
  ];
  const idle = before.cluster === undefined || next.cluster === undefined ? [] : idleIn([before, next]);
  const changes = parts.flatMap((name) => {
    if (idle.includes(name)) return [];
    const [was, is] = [versionOf(name, before.manifest), versionOf(name, next.manifest)];
    if (was === is) return [];
    return is === null ? [`${name} ${was} → none`] : [`${name} ${was ?? "none"} → ${is}`];
  });
  return {
    from: before.minor,
    to: next.minor,
    release: next.manifest.release,
    changes,
    needs: needsOf(before, next),
    removed: removedIn(next.minor),
    oldestKubelet: oldestKubelet(next.minor),
  };
}

/** What a release has and a cluster at neither stop runs. */
function idleIn(stops: readonly Stop[]): string[] {
  const runtimes = stops.map(({ cluster }) => cluster?.runtime);
  const plugins = stops.map((stop) => pluginAt(stop));
  return [
    ...(runtimes.includes("docker") ? [] : ["docker"]),
    ...(plugins.some((plugin) => plugin.startsWith("flannel")) ? [] : ["flannel"]),
    ...(plugins.includes("calico") ? [] : ["calicoctl"]),
  ];
}

function pluginAt({ manifest, cluster }: Stop): string {
  return cluster?.network.plugin ?? generations[manifest.generation].plugin;
}

/** Of a known cluster only what it needs itself. */
function needsOf(before: Stop, next: Stop): string[] {
  const { minor: to, cluster } = next;
  const [was, is] = [before, next].map(
    ({ manifest, cluster }) => cluster?.network.proxyMode ?? usualProxyMode(manifest),
  );
  const [pluginBefore, pluginNext] = [pluginAt(before), pluginAt(next)];
  const [etcdBefore, etcdNext] = [before, next].map(({ manifest }) => versionOf("etcd", manifest));
  const endsDocker =
    before.cluster === undefined || cluster === undefined
      ? to === "1.24"
      : before.cluster.runtime === "docker" && cluster.runtime !== "docker";
  return [
    ...(etcdBefore !== etcdNext
      ? [`a snapshot of etcd; its members one after the other, ${etcdBefore} to ${etcdNext}`]
      : []),
    ...(endsDocker ? ["nodes with docker go to containerd, drained one by one: 1.24 took dockershim out"] : []),
    ...(was === is ? [] : [`kube-proxy's usual mode goes from ${was} to ${is}: keep yours by network.proxyMode`]),
    ...(pluginBefore === pluginNext
      ? []
      : [`the usual pod network goes from ${pluginBefore} to ${pluginNext}: keep yours by network.plugin`]),
    // Where it is not said, pods above the new bound are turned away when their kubelet starts again.
    ...(to === "1.24" && cluster?.kubelet["maxPods"] === undefined
      ? ["the kubelet's usual bound goes from 220 to 110 pods: keep yours by kubelet.maxPods"]
      : []),
    ...(before.manifest.generation === next.manifest.generation
      ? []
      : ["folders of certificates and the cgroup driver change: drain each node before its turn"]),
    ...(to === "1.20" || to === "1.24" ? ["tolerate node-role.kubernetes.io/control-plane beside master"] : []),
    ...(removedIn(to).length === 0 ? [] : ["manifests and clients off the APIs that end here"]),
  ];
}

/** Three minors from 1.28 on, two before (upstream's version skew policy). */
function oldestKubelet(minor: string): string {
  const number = minorOf(minor);
  return `1.${number - (isSince(minor, "1.28") ? 3 : 2)}`;
}

/** Its number: of `1.16`, `v1.16.15` and `kubernetes-1.16` 16. USAGE for anything else. */
export function minorOf(text: string): number {
  const found = /^(?:kubernetes-)?v?1\.(\d+)(?:\.\d+)?$/.exec(text)?.[1];
  if (found !== undefined) return Number(found);
  throw new ExpectedError("USAGE", `${JSON.stringify(text)} is no minor of Kubernetes`, { expected: "1.16, 1.36" });
}

/** The lines that people read. */
export function describeStep({ from, to, release, changes, needs, removed, oldestKubelet }: Step): string[] {
  return [
    `${from} → ${to}  release ${release}, kubelets from ${oldestKubelet} on may stay`,
    ...changes.map((change) => `  ${change}`),
    ...needs.map((need) => `  needs: ${need}`),
    ...removed.map(({ api, kinds, now }) => `  ends: ${api} ${kinds.join(", ")}; now ${now}`),
  ];
}
