/** The files of a node with their final contents: tokens replaced, secrets opened. */
import { type Bundle, type Digest, digestOf, type FileEntry, type Token } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { chosen, type NodeFile } from "./input.ts";
import { type Selection, tokenValues } from "./select.ts";

export interface NodeContents {
  readonly files: readonly NodeFile[];
  /** Contents that are in no blob of the bundle: secrets, and files whose tokens were replaced. */
  readonly memory: ReadonlyMap<Digest, Uint8Array>;
}

/** How plain contents of a bundle are read: `contents` of the bundle. */
export type ReadContents = (requested: ReadonlySet<Digest>) => Promise<Map<Digest, Buffer>>;

/** KEY_MISSING and its like where the node has secrets that `identity` does not open. */
export async function nodeContents(
  bundle: Pick<Bundle, "index" | "secrets">,
  selection: Selection,
  identity: string | null,
  readPlain: ReadContents,
): Promise<NodeContents> {
  const entries = chosen(bundle.index.files, selection);
  const needsSecrets = entries.some(({ sensitive }) => sensitive);
  const secrets = needsSecrets ? await bundle.secrets(selection.profile.name, identity) : new Map<string, Buffer>();
  const withTokens = entries.filter(({ sensitive, tokens }) => !sensitive && tokens.length > 0);
  const plain = await readPlain(new Set(withTokens.map(({ digest }) => digest)));
  const values = tokenValues(selection);
  const memory = new Map<Digest, Uint8Array>();
  const files = entries.map((entry): NodeFile => {
    const content = entry.sensitive ? secrets.get(entry.path) : plain.get(entry.digest);
    if (content === undefined) {
      if (entry.sensitive)
        throw new ExpectedError("SECRETS_INVALID", "a secret file is missing", { where: entry.path });
      return { entry, digest: entry.digest, size: entry.size };
    }
    const replaced =
      entry.tokens.length === 0 ? content : Buffer.from(replaceTokens(content.toString("utf8"), entry, values));
    const digest = digestOf(replaced);
    memory.set(digest, replaced);
    return { entry, digest, size: replaced.length };
  });
  return { files, memory };
}

/** Replaces the tokens that the index names for a file, literally, and nothing else. */
export function replaceTokens(
  text: string,
  { tokens, path }: Pick<FileEntry, "tokens" | "path">,
  values: ReadonlyMap<Token, string>,
): string {
  return tokens.reduce((result, token) => {
    const value = values.get(token);
    if (value === undefined) {
      throw new ExpectedError("USAGE", "this node's network interface is not known", {
        where: path,
        hint: "name it: ./install … --iface eth0",
      });
    }
    return result.replaceAll(token, () => value);
  }, text);
}
