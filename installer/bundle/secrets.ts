/**
 * A node's secrets: a plain tar of its sensitive files, sealed with age (X25519) for that node and the operator.
 * By hand: `age -d -i KEY secrets/NODE.age | tar xf -`.
 */
import { ExpectedError } from "#cli/errors";
import { type IntegrityProblem, problemError } from "./problem.ts";
import { scanTar } from "./tar-source.ts";

/** More than any node's keys and kubeconfigs: a hostile file must not fill the memory. */
export const secretsLimit = 32 * 1024 * 1024;

const identityPattern = /^AGE-SECRET-KEY-1[A-Z0-9]+$/;

/**
 * Secret files by absolute node path. `sealed`: bytes are an age file and `identity` opens it. KEY_MISSING with no
 * identity, KEY_WRONG with one that it was not sealed for, SECRETS_INVALID for what is damaged.
 */
export async function openSecrets(
  bytes: Uint8Array,
  sealed: boolean,
  identity: string | null,
  where: string,
): Promise<Map<string, Buffer>> {
  const plain = sealed ? await decrypt(bytes, identity, where) : Buffer.from(bytes);
  const { members, problems } = scanTar(where, plain.length, (position, length) =>
    plain.subarray(position, position + length),
  );
  const first = problems[0];
  if (first !== undefined) throw invalid(where, `${first.member}: ${first.message}`, problemError(first, where));
  const files = new Map<string, Buffer>();
  for (const { path, offset, size, mode } of members.values()) {
    if (mode !== 0o600) throw invalid(where, `${path} has mode ${mode.toString(8)} instead of 600`, undefined);
    files.set(`/${path}`, plain.subarray(offset, offset + size));
  }
  return files;
}

async function decrypt(bytes: Uint8Array, identity: string | null, where: string): Promise<Buffer> {
  if (identity === null) {
    throw new ExpectedError("KEY_MISSING", "these secrets are sealed and no key was given", {
      where,
      hint: "give the key, which is transferred separately from the bundle: ./install --key NODE.key …",
    });
  }
  // Loaded here, so that a command that opens no secrets starts without it.
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch {
    throw new ExpectedError("KEY_WRONG", "this is not an age identity", { where, expected: "AGE-SECRET-KEY-1…" });
  }
  try {
    return Buffer.from(await decrypter.decrypt(bytes));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (!cause.message.includes("no identity matched")) throw invalid(where, cause.message, cause);
    throw new ExpectedError("KEY_WRONG", "this key does not open these secrets", {
      where,
      hint: "take CLUSTER.keys/NODE.key of this very cluster, of the time of this bundle",
    });
  }
}

function invalid(where: string, why: string, cause: unknown): ExpectedError {
  const hint = "copy the bundle again from where it was built";
  return new ExpectedError("SECRETS_INVALID", `the secrets are damaged: ${why}`, { where, cause, hint });
}

/** What differs between opened secrets and the files that the index promises for that node. */
export function secretProblems(
  member: string,
  files: ReadonlyMap<string, Buffer>,
  promised: ReadonlyMap<string, { digest: string }>,
  digest: (bytes: Buffer) => string,
): IntegrityProblem[] {
  const problems: IntegrityProblem[] = [];
  const add = (message: string, detail: { expected?: string; found?: string } = {}): void => {
    problems.push({ member, code: "SECRETS_INVALID", message, ...detail });
  };
  for (const [path, { digest: expected }] of promised) {
    const content = files.get(path);
    if (content === undefined) add(`${path} is missing`);
    else if (digest(content) !== expected)
      add(`${path} is not what the index says`, { expected, found: digest(content) });
  }
  for (const path of files.keys()) if (!promised.has(path)) add(`${path} is in no list of the index`);
  return problems;
}

/**
 * The identity of `node` in the text of a keys file (`name AGE-SECRET-KEY-…` a line) or of a file with one key as
 * age-keygen writes it. Comments and blank lines are skipped. KEY_MISSING names the nodes that the file has.
 */
export function parseKeyFile(text: string, node: string, where = "the key file"): string {
  const names: string[] = [];
  const lone: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const words = line.trim().split(/\s+/);
    const [first, second] = words;
    if (first === undefined || first === "" || first.startsWith("#")) continue;
    if (words.length === 1 && identityPattern.test(first)) lone.push(first);
    else if (words.length === 2 && second !== undefined && identityPattern.test(second)) {
      if (first === node) return second;
      names.push(first);
    } else {
      throw new ExpectedError("KEY_WRONG", "this is no key file: a line is neither a key nor a name and a key", {
        where,
        hint: "give NODE.key of the folder CLUSTER.keys that kubeferry build wrote",
      });
    }
  }
  const [only, ...more] = lone;
  if (only !== undefined && more.length === 0 && names.length === 0) return only;
  throw new ExpectedError("KEY_MISSING", `there is no key for ${node}`, {
    where,
    expected: `${node} AGE-SECRET-KEY-1…`,
    found: names.length > 0 ? `keys for ${names.join(", ")}` : "no key of a named node",
  });
}
