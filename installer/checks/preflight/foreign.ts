/** Preflight of what was here before: other clusters, other runtimes, data. What is ours is recognised as ours. */
import { error, type Finding, ok, warning } from "#cli/finding";
import { isActive } from "../../host/systemd.ts";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import { ownUnits, type PreflightInput } from "./input.ts";

/** A host that belongs to another cluster is not silently made a member of this one. */
export function cluster({ past, bundle }: PreflightInput): Finding[] {
  const expected = bundle.index.cluster.name;
  const other = past.find(({ state, header }) => state !== "gone" && header.bundle.cluster !== expected);
  if (other === undefined) return [ok("cluster", "the host belongs to no other cluster of Kubeferry")];
  const message = "the host already belongs to another cluster";
  return [error("cluster", message, { expected, found: other.header.bundle.cluster, hint: "./install undo" })];
}

const marks = [
  "/etc/kubernetes/admin.conf",
  "/etc/kubernetes/manifests/kube-apiserver.yaml",
  "/etc/rancher",
  "/var/lib/k0s",
];

/** Another tool's Kubernetes would fight with ours over addresses, ports and containers. */
export async function otherCluster({ host, past }: PreflightInput): Promise<Finding[]> {
  if (past.some(({ state }) => state !== "gone")) return [ok("existing-cluster", "what is here is ours")];
  for (const path of marks) {
    if ((await host.stat(path)) === null) continue;
    const message = "another tool has installed Kubernetes here";
    return [error("existing-cluster", message, { found: path, hint: "take it away with the tool that made it" })];
  }
  return [ok("existing-cluster", "no Kubernetes of another tool")];
}

/** A runtime of the host's own with the same unit name is replaced until undo; with another name it runs beside ours. */
export async function runtimes({ host, plan, past }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  const own = ownUnits(past);
  const planned = new Set(idsOf("unit", goalsIn(plan)).map(({ name }) => name));
  const findings: Finding[] = [];
  for (const name of ["docker.service", "containerd.service", "crio.service", "kubelet.service", "etcd.service"]) {
    if (own.has(name) || !(await isActive(host, name))) continue;
    const message = planned.has(name)
      ? `${name} of this host runs; it is replaced by ours until undo, and what it runs is restarted`
      : `${name} of this host runs beside ours`;
    findings.push(warning("foreign-runtime", message, { hint: `systemctl status ${name}` }));
  }
  return findings.length > 0 ? findings : [ok("foreign-runtime", "no runtime of the host's own")];
}
