/** The public key that somebody gives on a command line. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ExpectedError } from "#kit/errors";
import { parsePublicKey, type PublicKey } from "./signature.ts";

/** The key itself (`RWQ…`), or the file that holds it. USAGE, SIGNATURE_INVALID. */
export function givenPublicKey(given: string, workingDirectory: string): PublicKey {
  if (/^RW[A-Za-z0-9+/]{50,}={0,2}$/.test(given)) return parsePublicKey(given);
  const path = resolve(workingDirectory, given);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const hint = "give minisign's .pub file";
    throw new ExpectedError("USAGE", "the public key cannot be read", { where: path, cause, hint });
  }
  return parsePublicKey(text, path);
}
