/** What a login and a node's secrets are opened with: read from private files, or asked on the terminal once, before any host is. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ssh2 from "ssh2";
import { parseKeyFile } from "#bundle";
import { ask } from "#cli/ask";
import { ExpectedError, isExpected } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import type { Surroundings } from "#cli/run";
import { privateFile } from "../private-file.ts";
import type { Inventory, Login, Password } from "./inventory.ts";

export interface Identity {
  readonly path: string;
  readonly content: Buffer;
  readonly passphrase: string | null;
}

export interface Credentials {
  passwordOf(login: Login): string | null;
  identityOf(login: Login): Identity | null;
  /** Path of an agent's socket. */
  agentOf(login: Login): string | null;
}

/** Everything that `hosts.yaml` says logins have. UNAUTHORIZED, DENIED, and INTERRUPTED by Ctrl-C. */
export async function gatherCredentials({ hosts }: Inventory, surroundings: Surroundings): Promise<Credentials> {
  const passwords = new Map<Password, string>();
  const identities = new Map<string, Identity>();
  for (const login of hosts.flatMap((host) => (host.jump === null ? [host.login] : [host.jump, host.login]))) {
    const { password, identity } = login;
    if (password !== null && !passwords.has(password))
      passwords.set(password, await passwordFrom(password, login, surroundings));
    if (identity !== null && !identities.has(identity))
      identities.set(identity, await identityFrom(identity, surroundings));
  }
  const socket = surroundings.environment["SSH_AUTH_SOCK"] ?? "";
  return {
    passwordOf: ({ password }) => (password === null ? null : (passwords.get(password) ?? null)),
    identityOf: ({ identity }) => (identity === null ? null : (identities.get(identity) ?? null)),
    agentOf: ({ agent }) => (agent && socket !== "" ? socket : null),
  };
}

async function passwordFrom(password: Password, { user }: Login, surroundings: Surroundings): Promise<string> {
  if (password.file !== null)
    return privateFile(password.file, "the password file").toString("utf8").split("\n")[0] ?? "";
  const answer = await ask(surroundings, `Password of ${user} (${password.whose}): `, true);
  if (answer !== null) return answer;
  throw new ExpectedError("UNAUTHORIZED", "a password is to be asked, and there is no terminal", {
    where: password.whose,
    hint: "password: { file: PATH } of mode 0600 in hosts.yaml, a key, or an agent",
  });
}

async function identityFrom(path: string, surroundings: Surroundings): Promise<Identity> {
  const content = privateFile(path, "the private key");
  if (!(ssh2.utils.parseKey(content) instanceof Error)) return { path, content, passphrase: null };
  // Without its passphrase a key cannot be told from a file that is none.
  const passphrase = await ask(surroundings, `Passphrase of ${path}: `, true);
  const key = passphrase === null ? null : ssh2.utils.parseKey(content, passphrase);
  if (passphrase !== null && key !== null && !(key instanceof Error)) return { path, content, passphrase };
  const why =
    passphrase === null
      ? "is sealed with a passphrase, and there is no terminal"
      : "does not open with this passphrase";
  throw new ExpectedError("UNAUTHORIZED", `the private key ${why}`, {
    where: path,
    hint: `ssh-keygen -y -f ${path} says whether it is one; an agent (ssh-add) can hold it open`,
  });
}

/** The key for one node's secrets, of `keys:` in hosts.yaml. KEY_MISSING. */
export function nodeKey(keys: string | null, node: string): string {
  const hint = "keys: PATH in hosts.yaml, the folder CLUSTER.keys that build wrote, or one file with a line a node";
  if (keys === null)
    throw new ExpectedError("KEY_MISSING", `the secrets of ${node} are sealed, and no keys are given`, { hint });
  try {
    const file = statSync(keys).isDirectory() ? join(keys, `${node}.key`) : keys;
    return parseKeyFile(readFileSync(file, "utf8"), node, file);
  } catch (cause) {
    if (isExpected(cause)) throw cause;
    throw new ExpectedError("KEY_MISSING", `the key of ${node} cannot be read: ${whyUnreadable(cause)}`, {
      where: keys,
      hint,
    });
  }
}
