/** Opens a bundle: its index, and the ways to what the index names. */
import { ExpectedError } from "#cli/errors";
import { indexPath, indexProblems } from "./consistency.ts";
import { type Digest, digestOf } from "./digest.ts";
import { extractContents, readContents } from "./extract.ts";
import { type BundleIndex, type FileEntry, type NodeEntry } from "./format.ts";
import { decodeIndex } from "./format-decode.ts";
import { type Source, readMember } from "./member.ts";
import { type IntegrityProblem, problemError } from "./problem.ts";
import { openSecrets, secretProblems, secretsLimit } from "./secrets.ts";
import { openSource } from "./source.ts";
import { decodeSums, sumsPath } from "./sums.ts";
import { checkTrust, type GoodSignature, isSignaturePath, type Trust } from "./trust.ts";

/** A thousand nodes make an index of some 40 MB. */
const indexLimit = 64 * 1024 * 1024;
const sumsLimit = 32 * 1024 * 1024;
const signatureLimit = 64 * 1024;

export interface Bundle {
  readonly where: string;
  readonly index: BundleIndex;
  /** SHA-256 of bundle.json's bytes: the bundle's identity. */
  readonly payloadDigest: Digest;
  readonly source: Source;
  /** SHA256SUMS, decoded; `listing` has what is wrong with it, with the source's names and with the index. */
  readonly sums: ReadonlyMap<string, Digest>;
  /** What a signature signs: the very bytes that were decoded. */
  readonly sumsBytes: Buffer;
  readonly listing: () => Iterable<IntegrityProblem>;
  /** Those that were asked for and hold; [] where none was asked for. */
  readonly signatures: readonly GoodSignature[];
  /** See {@link extractContents}. */
  extract(requested: ReadonlySet<Digest>, place: (digest: Digest) => string, signal?: AbortSignal): Promise<void>;
  /** Contents that are small enough for memory, checked. */
  contents(requested: ReadonlySet<Digest>): Promise<Map<Digest, Buffer>>;
  /**
   * The secret files of a node of the index by absolute path, each checked against the index; empty when it has none.
   * NODE_UNKNOWN, KEY_MISSING, KEY_WRONG, SECRETS_INVALID.
   */
  secrets(node: string, identity: string | null): Promise<Map<string, Buffer>>;
  /** All bytes of a small member (README.txt, a signature); undefined when there is none. */
  read(member: string, limit?: number): Buffer | undefined;
}

/**
 * Opens the bundle at `where`, a .tar (not unpacked) or a directory. Where signatures are asked for (a null asks for none),
 * they are checked before a byte of anything but SHA256SUMS and them is read; then bundle.json is checked against SHA256SUMS, and only then
 * is it parsed. Everything else is `verifyBundle`'s. SIGNATURE_INVALID, MEMBER_MISSING, DIGEST_MISMATCH, FORMAT_INVALID,
 * FORMAT_TOO_NEW.
 */
export async function openBundle(where: string, trusts: readonly (Trust | null)[] = []): Promise<Bundle> {
  const asked = trusts.filter((trust) => trust !== null);
  const head = asked.length === 0 ? null : checkedHead(where, asked);
  const source = openSource(where);
  const sumsBytes = head?.sumsBytes ?? required(source, sumsPath, sumsLimit);
  const { sums, problems } = decodeSums(sumsBytes.toString("utf8"));
  const bytes = required(source, indexPath, indexLimit);
  const payloadDigest = digestOf(bytes);
  const expected = sums.get(indexPath);
  if (expected !== payloadDigest) {
    const found = payloadDigest;
    const message = expected === undefined ? `is not listed in ${sumsPath}` : `is not what ${sumsPath} says`;
    const cause = problems[0] ?? { member: indexPath, code: "DIGEST_MISMATCH", message };
    throw problemError(
      expected === undefined ? cause : { member: indexPath, code: "DIGEST_MISMATCH", message, expected, found },
      where,
    );
  }
  const index = decodeIndex(bytes, `${where}: ${indexPath}`);
  return {
    where,
    index,
    payloadDigest,
    source,
    sums,
    sumsBytes,
    *listing() {
      yield* source.problems;
      yield* problems;
      yield* indexProblems(index);
    },
    signatures: head?.signatures ?? [],
    extract: (set, place, signal) => extractContents(source, index, set, place, signal),
    contents: (set) => readContents(source, index, set),
    secrets: (node, identity) => nodeSecrets(source, index, node, identity),
    read(path, limit = 1024 * 1024) {
      const member = source.members.get(path);
      return member === undefined ? undefined : readMember(member, limit);
    },
  };
}

/** SHA256SUMS and its good signatures, with nothing else read: Kubeferry writes them first, the signatures before it. */
function checkedHead(where: string, trusts: readonly Trust[]): { sumsBytes: Buffer; signatures: GoodSignature[] } {
  const source = openSource(where, (members) => members.has(sumsPath) && [...members.keys()].some(isSignaturePath));
  const sumsBytes = required(source, sumsPath, sumsLimit);
  const texts = new Map<string, string>();
  for (const member of source.members.values()) {
    if (isSignaturePath(member.path)) texts.set(member.path, readMember(member, signatureLimit).toString("utf8"));
  }
  const good = trusts.flatMap((trust) => checkTrust(sumsBytes, texts, trust, where));
  return { sumsBytes, signatures: [...new Map(good.map((one) => [one.key, one])).values()] };
}

/** The sensitive files that the index promises for one of its nodes, by path. */
export function secretFiles(index: BundleIndex, node: NodeEntry): Map<string, FileEntry> {
  const mine = index.files.filter(
    ({ sensitive, for: to }) =>
      sensitive &&
      to.roles.some((role) => node.roles.includes(role)) &&
      (to.nodes === undefined || to.nodes.includes(node.name)),
  );
  return new Map(mine.map((file) => [file.path, file]));
}

async function nodeSecrets(
  source: Source,
  index: BundleIndex,
  name: string,
  identity: string | null,
): Promise<Map<string, Buffer>> {
  const node = index.nodes.find((entry) => entry.name === name);
  if (node === undefined) {
    const found = index.nodes.map((entry) => entry.name).join(", ");
    throw new ExpectedError("NODE_UNKNOWN", `${name} is not a node of this bundle`, { where: source.where, found });
  }
  const promised = secretFiles(index, node);
  const entry = index.secrets.find((secret) => secret.node === name);
  if (entry === undefined) {
    if (promised.size === 0) return new Map();
    throw new ExpectedError("SECRETS_INVALID", `the bundle has no secrets for ${name}`, { where: source.where });
  }
  const where = `${source.where}: ${entry.member}`;
  const bytes = required(source, entry.member, secretsLimit);
  const files = await openSecrets(bytes, entry.sealed, identity, where);
  const problem = secretProblems(entry.member, files, promised, digestOf)[0];
  if (problem !== undefined) throw problemError(problem, source.where);
  return files;
}

function required(source: Source, path: string, limit: number): Buffer {
  const member = source.members.get(path);
  if (member !== undefined) return readMember(member, limit);
  // A tar is listed up to its first damaged header; what is wrong with other files of a directory explains nothing.
  const problem = source.problems.find((one) => source.kind === "tar" || one.member === path);
  if (problem !== undefined) throw problemError(problem, source.where);
  throw new ExpectedError("MEMBER_MISSING", `this is not a bundle: it has no ${path}`, {
    where: source.where,
    hint: "give the .tar that `kubeferry build` wrote, or the directory it was unpacked into",
  });
}
