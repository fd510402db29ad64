/** Units for the index: in which order they start, what enables them, and which files restart them. */
import type { UnitEntry } from "#bundle";
import type { TopologyNode } from "../config/topology.ts";
import { components } from "../components/list.ts";
import type { Piece } from "../components/component.ts";
import { byText } from "../text-order.ts";
import { gather, type Placed, selectorFor } from "./pieces.ts";

const rows = new Map(components.flatMap(({ units = [] }) => units.map((unit) => [unit.name, unit] as const)));
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
      const row = rows.get(name);
      if (row === undefined) throw new Error(`${name} is a unit of no component`);
      const mine = placed.filter(({ node }) => names.includes(node.name)).map(({ item }) => item);
      const restartOn = filesBehind(item, mine, others);
      const reloadOn = row.reloads === true ? restartOn.filter((path) => isRead(path, others)) : [];
      return {
        name,
        links: installLinks(name, item.content),
        start: row.start,
        noBlock: waits(name, names, units, nodes),
        restartOn,
        ...(reloadOn.length === 0 ? {} : { reloadOn }),
        for: selectorFor(item.roles, names, nodes),
      };
    })
    .toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0) || byText(a.name, b.name));
}

/** Whether its program reads the file: it is neither of its unit nor a program. */
function isRead(path: string, others: ReadonlySet<string>): boolean {
  return !path.startsWith(folder) && !others.has(path);
}

/** Whether on one of the nodes its start may have to wait for another host. */
function waits(
  unit: string,
  names: readonly string[],
  units: readonly Placed<Piece>[],
  nodes: readonly TopologyNode[],
): boolean {
  const leader = rows.get(unit)?.behind;
  if (leader === undefined) return false;
  if (leader !== "etcd") {
    return waits(leader, names, units, nodes) && units.some(({ item }) => item.path === `${folder}${leader}`);
  }
  const members = nodes.filter(({ roles }) => roles.includes("etcd")).map(({ name }) => name);
  return names.some((name) => members.length > 1 || !members.includes(name));
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
