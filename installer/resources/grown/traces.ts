/** Files that daemons and pods' own programs leave: state of CNI, sockets, logs of pods, credentials, the kubelet's folder. */
import { basename, dirname } from "node:path";
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { grown } from "./grown.ts";
import type { Runtime } from "./runtime.ts";

export interface TracesId {
  readonly runtimes: readonly Runtime[];
  /** The kubelet's folder; null without a kubelet. */
  readonly kubelet: string | null;
  /** What programs write by design, as the index has it: one `*` in the last part. */
  readonly written: readonly string[];
  /** Files of the installation, which are not traces: their own resources take them back. */
  readonly own: readonly string[];
}

export interface TracesState {
  /** All that would be a trace if it was not there before, parents first. */
  readonly paths: readonly string[];
}

/** A folder that was there before keeps what others have in it: then only those below that bear our names go. */
const ofPods = [
  "/var/lib/cni",
  ...["networks", "results", "cache", "flannel"].map((name) => `/var/lib/cni/${name}`),
  ...["cbr0", "pods", "k8s-pod-network"].map((name) => `/var/lib/cni/networks/${name}`),
  "/var/lib/calico",
  "/var/lib/dockershim",
  "/var/log/calico",
  "/var/log/containers",
  "/var/log/pods",
  "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
  "/usr/libexec/kubernetes/kubelet-plugins/volume",
  "/usr/libexec/kubernetes/kubelet-plugins",
  "/usr/libexec/kubernetes",
  "/run/calico",
  "/run/dockershim.sock",
  "/run/flannel",
  "/run/kubernetes",
  "/run/nodeagent",
  "/run/xtables.lock",
];
const ofRuntimes = {
  containerd: [
    "/run/containerd",
    "/run/containerd/io.containerd.grpc.v1.cri",
    "/run/containerd/io.containerd.runtime.v1.linux/k8s.io",
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io",
    "/run/containerd/runc/k8s.io",
    "/run/nri",
  ],
  // Also of the containerd that docker starts for itself.
  docker: [
    ...["/run/docker", "/run/docker.pid", "/run/docker.sock", "/run/runc", "/etc/docker/key.json"],
    ...["/run/containerd", "/opt/containerd"],
  ],
} as const;
/** What the kubelet makes anew whenever a pod starts; any other volume in a pod's folder may be somebody's only copy. */
const derived = ["configmap", "secret", "projected", "downward-api"].map((name) => `kubernetes.io~${name}`);

export const traces = grown<TracesId, TracesState>({
  name: () => "files that daemons wrote",
  async inspect(host, { runtimes, kubelet, written, own }) {
    const fixed = [...ofPods, ...runtimes.flatMap(({ name }) => ofRuntimes[name]), "/run/netns"];
    const found: string[] = [];
    for (const path of fixed) if ((await host.stat(path)) !== null) found.push(path);
    for (const pattern of written) found.push(...(await matching(host, pattern)));
    if (kubelet !== null) found.push(...(await stateOfKubelet(host, kubelet)));
    const keeps = (path: string): boolean => !own.some((file) => file === path || file.startsWith(`${path}/`));
    return { paths: [...new Set(found)].filter(keeps) };
  },
  steps(_id, now, before) {
    const fresh = now.paths.filter((path) => !before.paths.includes(path));
    const top = fresh.filter((path) => !fresh.some((other) => path.startsWith(`${other}/`)));
    return top.map((path): Effect => ({ do: path === "/run/netns" ? "rmdir-if-empty" : "remove-tree", path }));
  },
});

async function matching(host: HostReader, pattern: string): Promise<string[]> {
  const folder = dirname(pattern);
  const [start = "", end = ""] = basename(pattern).split("*");
  const fits = (name: string): boolean =>
    pattern.includes("*")
      ? name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end)
      : name === start;
  return (await host.list(folder)).filter(fits).map((name) => `${folder}/${name}`);
}

/** Everything in the kubelet's folder but what pods keep in volumes that lie there and nowhere else. */
async function stateOfKubelet(host: HostReader, folder: string): Promise<string[]> {
  const names = await host.list(folder);
  const found = names.filter((name) => name !== "pods").map((name) => `${folder}/${name}`);
  if (!names.includes("pods")) return found;
  let kept = 0;
  for (const uid of await host.list(`${folder}/pods`)) {
    const pod = `${folder}/pods/${uid}`;
    const data = await dataOf(host, pod);
    kept += data.length;
    if (data.length === 0) found.push(pod);
    for (const name of data.length === 0 ? [] : await host.list(pod)) {
      if (name !== "volumes") found.push(`${pod}/${name}`);
    }
    for (const plugin of data.length === 0 ? [] : await host.list(`${pod}/volumes`)) {
      const volumes = `${pod}/volumes/${plugin}`;
      if (!data.some((volume) => volume.startsWith(`${volumes}/`))) found.push(volumes);
    }
  }
  return kept === 0 ? [...found, `${folder}/pods`] : found;
}

/** Volumes of a pod that hold something which exists nowhere else: `…/volumes/kubernetes.io~empty-dir/cache`. */
async function dataOf(host: HostReader, pod: string): Promise<string[]> {
  const found: string[] = [];
  for (const plugin of await host.list(`${pod}/volumes`)) {
    if (derived.includes(plugin)) continue;
    for (const volume of await host.list(`${pod}/volumes/${plugin}`)) {
      const path = `${pod}/volumes/${plugin}/${volume}`;
      if ((await host.list(path)).length > 0) found.push(path);
    }
  }
  return found;
}
