/** The secret keys that sign: from a file that is nobody else's, with a password from the environment or the terminal. */
import { readFile, stat } from "node:fs/promises";
import { kindOfKey } from "#bundle";
import { ask } from "#cli/ask";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";
import type { Surroundings } from "#cli/run";
import { isEncrypted, parseSigningKey, type SigningKey } from "./secret-key.ts";

/** KEY_MISSING, KEY_WRONG, SIGNATURE_INVALID, and PKI_INVALID where other users may read the file. */
export async function openSigningKey(file: string, surroundings: Surroundings): Promise<SigningKey> {
  let text: string;
  let mode: number;
  try {
    ({ mode } = await stat(file));
    text = await readFile(file, "utf8");
  } catch (cause) {
    const hint = "kubeferry keygen --out PREFIX   makes one; minisign -G too";
    throw new ExpectedError("KEY_MISSING", "the secret key cannot be read", { where: file, cause, hint });
  }
  const kind = kindOfKey(text);
  if (kind !== "secret") {
    throw new ExpectedError(
      "KEY_WRONG",
      kind === "public" ? "this is a public key, which cannot sign" : "this is no secret key",
      {
        where: file,
        expected: "the secret key of minisign or kubeferry keygen",
        hint: "give the .key file; kubeferry keygen --out PREFIX makes one",
      },
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new ExpectedError("PKI_INVALID", "the secret key is open to other users", {
      where: file,
      expected: "mode 0600",
      found: `mode ${formatMode(mode)}`,
      hint: `chmod 0600 ${file}; if others could read it, make a new one`,
    });
  }
  return parseSigningKey(text, isEncrypted(text, file) ? await password(file, surroundings) : null, file);
}

/** A new password for the key at `file`, asked for twice; from the environment as it is. KEY_MISSING where nobody can be asked. */
export async function newPassword(file: string, surroundings: Surroundings): Promise<string> {
  const given = surroundings.environment["KUBEFERRY_PASSWORD"];
  if (given !== undefined) return given;
  const first = await ask(surroundings, "Password for the new secret key: ", true);
  if (first === null || first === "") {
    throw new ExpectedError("KEY_MISSING", "a secret key wants a password, and none was given", {
      where: file,
      hint: "run it on a terminal, set KUBEFERRY_PASSWORD, or give --no-password for a key that a machine signs with",
    });
  }
  if ((await ask(surroundings, "The same once more: ", true)) === first) return first;
  throw new ExpectedError("KEY_WRONG", "the two passwords differ", { hint: "run the command again" });
}

async function password(file: string, surroundings: Surroundings): Promise<string | null> {
  return surroundings.environment["KUBEFERRY_PASSWORD"] ?? (await ask(surroundings, `Password of ${file}: `, true));
}
