/** What is mounted below the kubelet's and the runtime's folders, and network namespaces that CNI plugins were given. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { type Mount, parseMounts } from "../../host/mounts.ts";
import { processes } from "../../host/processes.ts";
import { realPath } from "../../host/real-path.ts";
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
    const names = await host.list(namespaceFolder);
    const inUse = (name: string): boolean => {
      const root = table.findLast(({ at }) => at === `${namespaceFolder}/${name}`)?.root;
      return root !== undefined && used.has(root);
    };
    const namespaces = names.filter((name) => name.startsWith("cni-") && !inUse(name));
    const folders = await Promise.all(foldersFor(id).map((path) => realPath(host, path)));
    const own = namespacesOf(id.runtimes);
    // Who makes the first namespace mounts their folder; it stays as long as somebody has one there.
    const isEmpty = namespaces.length === names.length;
    return {
      mounts: table
        .filter((mount) => (isEmpty && mount.at === namespaceFolder) || isBelow(mount, folders, own))
        .map(({ at, type, source, root }) => ({ at, what: `${type} ${source} ${root}` })),
      namespaces,
    };
  },
  steps(_id, now, before) {
    const old = new Set(before.mounts.map(({ at, what }) => `${at} ${what}`));
    const fresh = now.mounts.filter(({ at, what }) => !old.has(`${at} ${what}`));
    const names = now.namespaces.filter((name) => !before.namespaces.includes(name));
    const umount = (path: string): Effect => ({ do: "umount", path });
    const folder = fresh.filter(({ at }) => at === namespaceFolder);
    return [
      ...fresh.toReversed().flatMap((mount) => (folder.includes(mount) ? [] : [umount(mount.at)])),
      ...names.flatMap((name): Effect[] => {
        const path = `${namespaceFolder}/${name}`;
        return [umount(path), { do: "remove", path }];
      }),
      ...folder.map(({ at }) => umount(at)),
    ];
  },
});

function foldersFor({ runtimes, kubelet }: MountsId): string[] {
  return [...runtimes.flatMap(foldersOf), ...(kubelet === null ? [] : [kubelet])];
}

/** Somebody's containers below a containerd that both use lie in a folder with the name of their namespace. */
function isBelow({ at, root }: Mount, folders: readonly string[], own: readonly string[]): boolean {
  // docker binds its own folder to itself.
  const within = folders.some((folder) => at.startsWith(`${folder}/`) || (at === folder && root.endsWith(folder)));
  const namespace = /\/io\.containerd\.runtime\.v[^/]*\/([^/]+)\//.exec(at)?.[1];
  return within && (namespace === undefined || own.includes(namespace));
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
