/** The gathering of what is the same on several nodes into one entry. */
import { digestOf, type Role, type Selector } from "#bundle";
import type { Piece } from "../components/component.ts";
import type { TopologyNode } from "../config/topology.ts";
import type { NodeFile } from "./node-file.ts";
import { byText } from "../text-order.ts";

/** Anything that several nodes may have alike. */
export interface Placed<T> {
  readonly node: TopologyNode;
  readonly item: T;
}

const rootOwner = "0:0";

/** Files in order of path; what is the same on several nodes is one entry. */
export function gatherFiles(placed: readonly Placed<Piece>[], nodes: readonly TopologyNode[]): NodeFile[] {
  const groups = gather(placed, ({ content, ...rest }) => JSON.stringify([rest, digestOf(content)]));
  const files = groups.map(({ item, names }) => ({
    path: item.path,
    mode: item.mode,
    owner: rootOwner,
    content: item.content,
    sensitive: item.sensitive,
    for: selectorFor(item.roles, names, nodes, item.sensitive),
    origin: item.origin,
  }));
  refuseTwice(files, nodes);
  return files.toSorted((a, b) => byText(a.path, b.path) || byText(a.for.nodes?.[0] ?? "", b.for.nodes?.[0] ?? ""));
}

/** Groups equal items; each with the names of the nodes that have it, in the nodes' order. */
export function gather<T>(placed: readonly Placed<T>[], key: (item: T) => string): { item: T; names: string[] }[] {
  const groups = new Map<string, { item: T; names: string[] }>();
  for (const { node, item } of placed) {
    const name = key(item);
    const group = groups.get(name) ?? { item, names: [] };
    if (!group.names.includes(node.name)) group.names.push(node.name);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** Names of nodes are written only where not every node of these roles has it, and always for secrets. */
export function selectorFor(
  roles: readonly Role[],
  names: readonly string[],
  nodes: readonly TopologyNode[],
  explicit = false,
): Selector {
  const all = nodes.filter((node) => roles.some((role) => node.roles.includes(role)));
  const everyone = all.every((node) => names.includes(node.name));
  return everyone && !explicit ? { roles: [...roles] } : { roles: [...roles], nodes: [...names] };
}

/** Whether an entry is for a node. */
export function selects({ roles, nodes }: Selector, node: TopologyNode): boolean {
  return roles.some((role) => node.roles.includes(role)) && (nodes?.includes(node.name) ?? true);
}

/** Two files on one path of one node would be a mistake of components. */
function refuseTwice(files: readonly NodeFile[], nodes: readonly TopologyNode[]): void {
  const seen = new Set<string>();
  for (const file of files) {
    for (const node of nodes) {
      if (!selects(file.for, node)) continue;
      const key = `${node.name}:${file.path}`;
      if (seen.has(key)) throw new Error(`two files are rendered as ${file.path} of ${node.name}`);
      seen.add(key);
    }
  }
}
