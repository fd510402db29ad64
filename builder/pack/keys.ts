/**
 * The keys that open a bundle's secrets. `<cluster>.keys` has one line a node, `name AGE-SECRET-KEY-…`, and is
 * transferred separately from the bundle. Made once and reused; new nodes are appended; no line is ever changed.
 */
import { readFile, stat } from "node:fs/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parseKeyFile } from "#bundle";
import { ExpectedError, isExpected } from "#kit/errors";
import { replaceFile } from "../durable-file.ts";
import { openVault } from "../pki/vault.ts";

/** Public halves only: what packing needs. */
export interface ClusterKeys {
  readonly nodes: ReadonlyMap<string, string>;
  readonly operator: string;
}

export interface KeysOptions {
  /** `<cluster>.keys`, made with mode 0600 where it is missing. */
  readonly file: string;
  /** `<cluster>.pki`: the operator's own key is kept there as `operator.key`, unless `operator` is given. */
  readonly pki: string;
  readonly nodes: readonly string[];
  /** A public recipient, `age1…`, whose private half is kept elsewhere. */
  readonly operator?: string | undefined;
}

/** Opens or makes the keys of all nodes. PKI_INVALID when the file is open to other users, KEY_WRONG for a bad line. */
export async function openKeys(options: KeysOptions): Promise<ClusterKeys> {
  const { file, nodes } = options;
  let text = await readKeys(file);
  const missing = nodes.filter((node) => identityIn(text, node, file) === null);
  if (missing.length > 0) {
    const lines: string[] = [];
    for (const node of missing) lines.push(`${node} ${await generateX25519Identity()}\n`);
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    await replaceFile(file, before + lines.join(""), 0o600);
    // What counts is what is kept.
    text = await readKeys(file);
  }
  const recipients = new Map<string, string>();
  for (const node of nodes) recipients.set(node, await identityToRecipient(parseKeyFile(text, node, file)));
  return { nodes: recipients, operator: options.operator ?? (await operatorRecipient(options.pki)) };
}

async function operatorRecipient(pki: string): Promise<string> {
  const vault = await openVault(pki);
  const text = await vault.readOrMake("operator.key", async () => `${await generateX25519Identity()}\n`);
  return identityToRecipient(text.trim());
}

function identityIn(text: string, node: string, file: string): string | null {
  try {
    // A line of its own keeps a file with one lone key from being taken for every node's.
    return parseKeyFile(`${text}\n- AGE-SECRET-KEY-1X\n`, node, file);
  } catch (error) {
    if (isExpected(error, "KEY_MISSING")) return null;
    throw error;
  }
}

async function readKeys(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) === 0) return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
  throw new ExpectedError("PKI_INVALID", "the keys file is open to other users", {
    where: file,
    wanted: "mode 0600",
    hint: `chmod 0600 ${file}`,
  });
}
