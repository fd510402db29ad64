/** What is mounted below the kubelet's and the runtime's folders, and network namespaces that CNI plugins were given. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { type Mount, parseMounts } from "../../host/mounts.ts";
import { processes } from "../../host/processes.ts";
import { grown } from "./grown.ts";
import { containersOf, foldersOf, namespacesOf, type Runtime } from "./runtime.ts";

export interface MountsId {
  readonly runtimes: readonly Runtime[];
  /** The kubelet's folder; null without a kubelet. */
  readonly kubelet: string | null;
}

export interface MountsState {
  /** In the order in which they cover each other. */
  readonly mounts: readonly { readonly at: string; readonly what: string }[];
  /** Names in /run/netns that a runtime made: `cni-…`. */
  readonly namespaces: readonly string[];
}

const namespaceFolder = "/run/netns";

export const mounts = grown<MountsId, MountsState>({
  name: () => "mounts of pods",
  async inspect(host, id) {
    if (!host.live) return { mounts: [], namespaces: [] };
    const table = parseMounts((await host.read("/proc/self/mountinfo")) ?? "");
    const used = await usedNamespaces(host, id);
    const names = (await host.list(namespaceFolder)).filter((name) => name.startsWith("cni-"));
    const inUse = (name: string): boolean => {
      const root = table.findLast(({ at }) => at === `${namespaceFolder}/${name}`)?.root;
      return root !== undefined && used.has(root);
    };
    return {
      mounts: table
        .filter((mount) => isBelow(mount, id))
        .map(({ at, type, source, root }) => ({ at, what: `${type} ${source} ${root}` })),
      namespaces: names.filter((name) => !inUse(name)),
    };
  },
  steps(_id, now, before) {
    const old = new Set(before.mounts.map(({ at, what }) => `${at} ${what}`));
    const fresh = now.mounts.filter(({ at, what }) => !old.has(`${at} ${what}`));
    const names = now.namespaces.filter((name) => !before.namespaces.includes(name));
    return [
      ...fresh.toReversed().map(({ at }): Effect => ({ do: "umount", path: at })),
      ...names.flatMap((name): Effect[] => [
        { do: "umount", path: `${namespaceFolder}/${name}` },
        { do: "remove", path: `${namespaceFolder}/${name}` },
      ]),
    ];
  },
});

/** Somebody's containers below a containerd that both use lie in a folder with the name of their namespace. */
function isBelow({ at, root, type }: Mount, { runtimes, kubelet }: MountsId): boolean {
  const folders = [...runtimes.flatMap(foldersOf), ...(kubelet === null ? [] : [kubelet])];
  if (at === namespaceFolder) return type === "tmpfs";
  // docker binds its own folder to itself.
  const within = folders.some((folder) => at.startsWith(`${folder}/`) || (at === folder && root.endsWith(folder)));
  const namespace = /\/io\.containerd\.runtime\.v[^/]*\/([^/]+)\//.exec(at)?.[1];
  return within && (namespace === undefined || namespacesOf(runtimes).includes(namespace));
}

/** Network namespaces that a process lives in which is not ours: a tool of somebody's may give them the same names. */
async function usedNamespaces(host: HostReader, { runtimes, kubelet }: MountsId): Promise<Set<string>> {
  const all = await processes(host);
  const own = new Set(containersOf(all, runtimes, kubelet !== null).all);
  const used = new Set<string>();
  for (const one of all.filter((other) => !own.has(other))) {
    const link = await host.stat(`/proc/${one.pid}/ns/net`);
    if (link?.type === "symlink") used.add(link.target);
  }
  return used;
}
