/** The keys that a command line brings: whose signatures a bundle must have, and what opens a node's secrets. */
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { ask } from "#cli/ask";
import type { Trust } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import type { Surroundings } from "#cli/run";

export interface KeyFlags {
  readonly publicKey?: readonly string[];
  readonly require?: number;
  readonly key?: string;
}

/** Both what is asked for here and what this host asks for: neither can take the other away. */
export async function trustsOf(flags: KeyFlags, root: string, surroundings: Surroundings): Promise<Trust[]> {
  const { givenTrust } = await import("#bundle");
  const { trustedKeys } = await import("./trusted-keys.ts");
  const given = givenTrust(flags.publicKey ?? [], flags.require, surroundings.workingDirectory);
  return [given, trustedKeys(root)].filter((trust) => trust !== null);
}

/** The key for a node: from --key, from KUBEFERRY_KEY (a key or a file), or asked for; null where nobody can be asked. */
export async function identityOf(name: string, { key }: KeyFlags, surroundings: Surroundings): Promise<string | null> {
  const given = key ?? surroundings.environment["KUBEFERRY_KEY"];
  if (given === undefined || given === "") return (await ask(surroundings, `Key of ${name}: `, true))?.trim() ?? null;
  if (key === undefined && given.startsWith("AGE-SECRET-KEY-")) return given;
  const path = resolve(surroundings.workingDirectory, given);
  const { parseKeyFile } = await import("#bundle");
  // The whole folder that `build` wrote, where one person carries it.
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, `${name}.key`) : path;
  try {
    return parseKeyFile(readFileSync(file, "utf8"), name, file);
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw new ExpectedError("KEY_MISSING", `the key file cannot be read: ${whyUnreadable(error)}`, {
      where: file,
      cause: error,
      hint: `ls -l ${file}`,
    });
  }
}
