/** Each node's sensitive files become one member of the bundle, sealed for that node and the operator. */
import { type BundleIndex, type NodeEntry, type TarMember, secretPath } from "#bundle";
import type { NodeFile } from "../render/node-file.ts";
import { contentOf } from "./groups.ts";
import type { ClusterKeys } from "./keys.ts";
import { sealSecrets } from "./seal-secrets.ts";

/** The members under `secrets/` and their entries in the index. `keys` null: plain tars, for labs. */
export async function packSecrets(
  nodes: readonly NodeEntry[],
  files: readonly NodeFile[],
  keys: ClusterKeys | null,
): Promise<{ members: TarMember[]; entries: BundleIndex["secrets"] }> {
  const members: TarMember[] = [];
  const entries: BundleIndex["secrets"] = [];
  for (const node of nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const own = secretsOf(node, files);
    if (own.size === 0) continue;
    const recipients = keys === null ? [] : recipientsOf(keys, node.name);
    const path = secretPath(node.name, keys !== null);
    members.push({ path, mode: 0o644, content: await sealSecrets(own, recipients) });
    entries.push({ node: node.name, member: path, sealed: keys !== null, recipients });
  }
  return { members, entries };
}

function secretsOf(node: NodeEntry, files: readonly NodeFile[]): Map<string, Buffer> {
  const own = new Map<string, Buffer>();
  for (const file of files) {
    const { roles, nodes } = file.for;
    if (!file.sensitive || !roles.some((role) => node.roles.includes(role))) continue;
    if (nodes !== undefined && !nodes.includes(node.name)) continue;
    const { bytes } = contentOf(file);
    if (bytes === undefined) throw new Error(`a sensitive file has a content in the store: ${file.path}`);
    const other = own.get(file.path);
    if (other !== undefined && !other.equals(bytes)) throw new Error(`two secrets for ${node.name} at ${file.path}`);
    own.set(file.path, bytes);
  }
  return own;
}

function recipientsOf(keys: ClusterKeys, node: string): string[] {
  const recipient = keys.nodes.get(node);
  if (recipient === undefined) throw new Error(`${node} has no key`);
  return [...new Set([recipient, keys.operator, ...keys.others])];
}
