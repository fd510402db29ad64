/** A new key pair that signs bundles: `PREFIX.key`, private from its first byte, and `PREFIX.pub`. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { formatPublicKey, keyName, writeNew } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatSecretKey, newSigningKey } from "./secret-key.ts";

export interface KeyFiles {
  readonly secret: string;
  readonly open: string;
  /** As minisign prints it. */
  readonly name: string;
  /** The one line that `--public-key` and `minisign -P` take. */
  readonly publicKey: string;
}

/** Overwrites nothing: USAGE where either file is there. `password` null: not encrypted. */
export async function generateKey(prefix: string, password: string | null): Promise<KeyFiles> {
  const files = { secret: `${prefix}.key`, open: `${prefix}.pub` };
  const key = newSigningKey();
  const name = keyName(key.id);
  const publicKey = formatPublicKey(key);
  await mkdir(dirname(prefix), { recursive: true });
  await make(files.secret, formatSecretKey(key, password), 0o600);
  await make(files.open, `untrusted comment: minisign public key ${name}\n${publicKey}\n`, 0o644);
  return { ...files, name, publicKey };
}

async function make(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeNew(path, text, mode);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    const hint = "a key that signed something must not be lost; choose another --out";
    throw new ExpectedError("USAGE", "this file is there already", { where: path, cause, hint });
  }
}
