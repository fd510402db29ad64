/** Which processes are of our container runtimes: by their arguments, parents and cgroups, never by a program's name. */
import { type Process, withDescendants } from "../../host/processes.ts";

/** A runtime that the bundle brings. */
export interface Runtime {
  readonly name: "containerd" | "docker";
  /** Its client with its own options: `["/usr/local/bin/ctr"]`. */
  readonly client: readonly string[];
  /** Where it keeps images and layers. */
  readonly data: string;
}

const runFolders = { containerd: "/run/containerd", docker: "/run/docker" } as const;
const namespaces = { containerd: "k8s.io", docker: "moby" } as const;

/** Folders of a runtime's own: data, and what lasts until the next boot. */
export function foldersOf({ name, data }: Runtime): string[] {
  return [data, runFolders[name]];
}

/** containerd's namespaces whose containers are ours: docker's only where docker itself is. */
export function namespacesOf(runtimes: readonly Runtime[]): string[] {
  return runtimes.map(({ name }) => namespaces[name]);
}

interface Shim {
  readonly namespace: string;
  readonly address: string;
}

/** What a shim of containerd says of itself; null for any other process. `-namespace k8s.io -id … -address …`, or with `=`. */
export function shimOf({ argv }: Pick<Process, "argv">): Shim | null {
  const value = (name: string): string | null => {
    const at = argv.findIndex((word) => new RegExp(`^--?${name}(=|$)`).test(word));
    const word = argv[at];
    if (word === undefined) return null;
    return word.includes("=") ? word.slice(word.indexOf("=") + 1) : (argv[at + 1] ?? "");
  };
  const [namespace, address] = [value("namespace"), value("address")];
  return namespace === null || address === null ? null : { namespace, address };
}

/** The socket of a containerd that we start, or that our docker does. */
function isOurAddress(address: string, runtimes: readonly Runtime[]): boolean {
  const path = address.replace(/^unix:\/\//, "").replace(/^\/var\/run\//, "/run/");
  return runtimes.some(({ name }) => path.startsWith(`${runFolders[name]}/`));
}

export interface Containers {
  readonly shims: readonly Process[];
  /** The first process of each container, and whatever else of pods has lost its parent. */
  readonly mains: readonly Process[];
  /** All of both. */
  readonly all: readonly Process[];
  /** Of other people's runtimes, with everything that they started. */
  readonly foreign: ReadonlySet<Process>;
}

/**
 * The processes of containers that our runtimes started, and of what is in the kubelet's cgroups. A cluster within somebody's
 * container has cgroups called kubepods too, but below his own; a second containerd has another socket.
 */
export function containersOf(all: readonly Process[], runtimes: readonly Runtime[], kubelet: boolean): Containers {
  const isOurs = (shim: Shim): boolean =>
    namespacesOf(runtimes).includes(shim.namespace) && isOurAddress(shim.address, runtimes);
  const shims: Process[] = [];
  const others: Process[] = [];
  for (const one of all) {
    const shim = shimOf(one);
    if (shim !== null) (isOurs(shim) ? shims : others).push(one);
  }
  const foreign = withDescendants(others, all);
  const pods = kubelet
    ? all.filter(({ cgroups }) => cgroups.some((path) => /^\/kubepods(\.slice)?(\/|$)/.test(path)))
    : [];
  const own = new Set([...withDescendants([...shims, ...pods], all)].filter((one) => !foreign.has(one)));
  const shimPids = new Set(shims.map(({ pid }) => pid));
  const pids = new Set([...own].map(({ pid }) => pid));
  const mains = [...own].filter((one) => !shims.includes(one) && (shimPids.has(one.parent) || !pids.has(one.parent)));
  return { shims, mains, all: [...own], foreign };
}

/** For people: which pod's it is, as far as its cgroup or its arguments say. */
export function describeProcess({ argv }: Pick<Process, "argv">): string {
  const name = (argv[0] ?? "").split("/").at(-1) ?? "";
  return name.slice(0, 40);
}
