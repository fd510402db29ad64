/** Units for the index: in which order they start, what enables them, and which files restart them. */
import type { UnitEntry } from "#bundle";
import type { TopologyNode } from "../config/topology.ts";
import { gather, type Piece, type Placed, selectorFor } from "./pieces.ts";

/** Start order; the installer stops in the opposite one. Null: enabled, but its timer or another unit starts it. */
const order: Readonly<Record<string, number | null>> = {
  "etcd.service": 10,
  "haproxy.service": 20,
  "keepalived.service": 21,
  "kube-nginx.service": 22,
  "kube-apiserver.service": 30,
  "kube-controller-manager.service": 40,
  "kube-scheduler.service": 41,
  // Before the master's own kubelet, whose first certificate it approves.
  "kubeferry-approve.service": 45,
  "flanneld.service": 50,
  "containerd.service": 55,
  "docker.service": 60,
  "kubeferry-routes.service": 65,
  "kubelet.service": 70,
  "kube-proxy.service": 75,
  "kubeferry-expiry.service": null,
  "kubeferry-expiry.timer": 90,
  "kubeferry-snapshot.service": null,
  "kubeferry-snapshot.timer": 90,
};

/** Their start ends only when etcd is up, with its other members and on other hosts, and those may be installed later. */
const waitForEtcd = ["etcd.service", "kube-apiserver.service", "flanneld.service"];
/** What systemd starts only after one of these. */
const follows: Readonly<Record<string, string>> = {
  "docker.service": "flanneld.service",
  "kubelet.service": "docker.service",
};

const folder = "/etc/systemd/system/";

/** The units among the files of all nodes. A unit restarts when a file that it names, or that such a file names, changes. */
export function unitEntries(
  placed: readonly Placed<Piece>[],
  others: ReadonlySet<string>,
  nodes: readonly TopologyNode[],
): UnitEntry[] {
  const units = placed.filter(
    ({ item }) => item.path.startsWith(folder) && !item.path.slice(folder.length).includes("/"),
  );
  const groups = gather(units, (item) => item.path);
  return groups
    .map(({ item, names }): UnitEntry => {
      const name = item.path.slice(folder.length);
      const start = order[name];
      if (start === undefined) throw new Error(`${name} has no place in the start order`);
      const mine = placed.filter(({ node }) => names.includes(node.name)).map(({ item }) => item);
      return {
        name,
        links: installLinks(name, item.content),
        start,
        noBlock: waits(name, names, units, nodes),
        restartOn: filesBehind(item, mine, others),
        for: selectorFor(item.roles, names, nodes),
      };
    })
    .toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

/** Whether on one of the nodes its start may have to wait for another host. */
function waits(
  unit: string,
  names: readonly string[],
  units: readonly Placed<Piece>[],
  nodes: readonly TopologyNode[],
): boolean {
  const leader = follows[unit];
  if (leader !== undefined) {
    return waits(leader, names, units, nodes) && units.some(({ item }) => item.path === `${folder}${leader}`);
  }
  const members = nodes.filter(({ roles }) => roles.includes("etcd")).map(({ name }) => name);
  return waitForEtcd.includes(unit) && names.some((name) => members.length > 1 || !members.includes(name));
}

/** `multi-user.target.wants/etcd.service` from `[Install] WantedBy=multi-user.target`. */
export function installLinks(name: string, text: string): string[] {
  const install = /^\[Install\]$([\s\S]*)/m.exec(text)?.[1] ?? "";
  return [...install.matchAll(/^(WantedBy|RequiredBy)=(.*)$/gm)].flatMap(([, kind, targets = ""]) =>
    targets
      .trim()
      .split(/\s+/)
      .map((target) => `${target}.${kind === "WantedBy" ? "wants" : "requires"}/${name}`),
  );
}

/** `others`: paths of binaries and of the operator's own files, drop-ins of the unit among them. */
function filesBehind(unit: Piece, files: readonly Piece[], others: ReadonlySet<string>): string[] {
  const found = new Set([unit.path, ...[...others].filter((path) => path.startsWith(`${unit.path}.d/`))]);
  const queue = [unit];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const named = new Set(next.content.match(/\/[\w./-]+/g));
    for (const path of named) if (others.has(path)) found.add(path);
    for (const file of files) {
      if (found.has(file.path) || !named.has(file.path) || file.path.startsWith(folder)) continue;
      found.add(file.path);
      queue.push(file);
    }
  }
  return [...found].toSorted();
}
