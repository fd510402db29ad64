/**
 * The keys that open a bundle's secrets: `<cluster>.keys/<node>.key`, an age identity each, so that no node's operator need
 * carry another node's key. They are transferred separately from the bundle. Made once and reused; `rekey` makes new ones.
 */
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parseKeyFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";
import { openVault, type Vault } from "../pki/vault.ts";

/** Public halves only: what packing needs. */
export interface ClusterKeys {
  readonly nodes: ReadonlyMap<string, string>;
  readonly operator: string;
  /** Further recipients of every node's secrets: officers, a safe. */
  readonly others: readonly string[];
  /** What an operator must know: a key that was lost and made anew. */
  readonly notes: readonly string[];
}

export interface KeysOptions {
  /** `<cluster>.keys`, made with mode 0700 where it is missing. */
  readonly folder: string;
  /** `<cluster>.pki`: the operator's own key is kept there as `operator.key`, unless `operator` is given. */
  readonly pki: string;
  readonly nodes: readonly string[];
  /** A public recipient, `age1…`, whose private half is kept elsewhere. */
  readonly operator?: string | undefined;
  readonly others?: readonly string[] | undefined;
}

/** Opens or makes the keys of all nodes. PKI_INVALID when a file or the folder is open to other users, KEY_WRONG for a bad one. */
export async function openKeys(options: KeysOptions): Promise<ClusterKeys> {
  const others = options.others ?? [];
  for (const recipient of others) refuseNoRecipient(recipient);
  const keys = await openFolder(options.folder);
  const pki = await openVault(options.pki);
  const nodes = new Map<string, string>();
  const notes: string[] = [];
  for (const node of options.nodes) {
    const recipient = await nodeRecipient(keys, node);
    nodes.set(node, recipient);
    notes.push(...(await otherThanBefore(pki, node, recipient, options.folder)));
  }
  return { nodes, operator: options.operator ?? (await operatorRecipient(pki)), others, notes };
}

/** Sets the keys of `nodes` (all where none is named) aside and makes new ones. The files that were set aside. NODE_UNKNOWN. */
export async function rekey(folder: string, nodes: readonly string[]): Promise<string[]> {
  const keys = await openFolder(folder);
  const present = (await keys.list("")).flatMap((name) => /^(.+)\.key$/.exec(name)?.[1] ?? []);
  const unknown = nodes.find((node) => !present.includes(node));
  if (unknown !== undefined || present.length === 0) {
    throw new ExpectedError("NODE_UNKNOWN", `there is no key of ${unknown ?? "any node"}`, {
      where: folder,
      expected: present.length === 0 ? "keys that kubeferry build makes" : `one of ${present.join(", ")}`,
      hint: "kubeferry rekey cluster.yaml --node NODE",
    });
  }
  const aside: string[] = [];
  for (const node of nodes.length > 0 ? nodes : present) {
    const path = join(folder, keyName(node));
    const old = await freeName(path);
    await rename(path, old);
    aside.push(old);
    await nodeRecipient(keys, node);
  }
  return aside;
}

async function openFolder(folder: string): Promise<Vault> {
  const found = await stat(folder).catch(() => null);
  if (found === null || found.isDirectory()) return openVault(folder);
  throw new ExpectedError("PKI_INVALID", "the nodes' keys are in one file, as an older Kubeferry kept them", {
    where: folder,
    expected: "a folder with one file a node",
    hint: `mv ${folder} ${folder}.old && mkdir -m 0700 ${folder} && while read -r name key; do (umask 077; echo "$key" > ${folder}/$name.key); done < ${folder}.old`,
  });
}

async function nodeRecipient(keys: Vault, node: string): Promise<string> {
  const path = join(keys.dir, keyName(node));
  const text = await keys.readOrMake(keyName(node), async () => {
    const identity = await generateX25519Identity();
    return `# opens the secrets of ${node}: transfer it separately from the bundle\n# public key: ${await identityToRecipient(identity)}\n${identity}\n`;
  });
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new ExpectedError("PKI_INVALID", "a node's key is open to other users", {
      where: path,
      expected: "mode 0600",
      found: `mode ${formatMode(mode)}`,
      hint: `chmod 0600 ${path}; if others could read it: kubeferry rekey cluster.yaml --node ${node}`,
    });
  }
  return identityToRecipient(parseKeyFile(text, node, path));
}

/** The cluster's own folder remembers each public half that a node ever had. */
async function otherThanBefore(pki: Vault, node: string, recipient: string, folder: string): Promise<string[]> {
  const known = await pki.list(join("recipients", node));
  await pki.readOrMake(join("recipients", node, recipient), () => "");
  if (known.length === 0 || known.includes(recipient)) return [];
  return [
    `${node} has a new key, ${join(folder, keyName(node))}: bundles of before open only with its older one; if that was lost, they no longer open on ${node}`,
  ];
}

async function operatorRecipient(pki: Vault): Promise<string> {
  const text = await pki.readOrMake("operator.key", async () => `${await generateX25519Identity()}\n`);
  return identityToRecipient(text.trim());
}

/** USAGE. */
export function refuseNoRecipient(recipient: string): void {
  if (/^age1[a-z0-9]{58}$/.test(recipient)) return;
  throw new ExpectedError("USAGE", "this is no recipient of age", {
    expected: "age1…, the public key that age-keygen prints",
    found: recipient.slice(0, 80),
    hint: "age-keygen -y KEYFILE   prints the recipient of a key",
  });
}

function keyName(node: string): string {
  return `${node}.key`;
}

async function freeName(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${path}.old-${number}`;
    if ((await stat(name).catch(() => null)) === null) return name;
  }
}
