/** The public keys that somebody gives on a command line. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ExpectedError } from "#cli/errors";
import { kindOfKey, parsePublicKey, type PublicKey } from "./signature.ts";
import type { Trust } from "./trust.ts";

/** The key itself (`RWQ…`), or the file that holds it. USAGE. */
function givenPublicKey(given: string, workingDirectory: string): PublicKey {
  if (/^RW[A-Za-z0-9+/]{50,}={0,2}$/.test(given)) return parsePublicKey(given);
  const path = resolve(workingDirectory, given);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const hint = "give minisign's .pub file";
    throw new ExpectedError("USAGE", "the public key cannot be read", { where: path, cause, hint });
  }
  try {
    return parsePublicKey(text, path);
  } catch (cause) {
    throw new ExpectedError(
      "USAGE",
      kindOfKey(text) === "secret" ? "this is a secret key, which signs" : "this is no public key",
      {
        where: path,
        cause,
        expected: "the public key of minisign or kubeferry keygen",
        hint: "give the .pub file, or the line RW… in it",
      },
    );
  }
}

/** What `--public-key` (any number of times) and `--require` ask for; null without a key. USAGE. */
export function givenTrust(
  given: readonly string[],
  require: number | undefined,
  workingDirectory: string,
): Trust | null {
  if (given.length === 0 && require === undefined) return null;
  return trustIn(
    given.map((one) => givenPublicKey(one, workingDirectory)),
    require ?? 1,
    "--public-key",
  );
}

/** A demand that can be met: USAGE where there are fewer keys than signatures are wanted. */
export function trustIn(keys: readonly PublicKey[], require: number, from: string): Trust {
  const distinct = [...new Map(keys.map((key) => [key.id.toString("hex"), key])).values()];
  if (Number.isInteger(require) && require >= 1 && require <= distinct.length) return { keys: distinct, require, from };
  throw new ExpectedError("USAGE", `--require ${require} asks for more keys than there are`, {
    where: from,
    expected: `${require} different keys or more`,
    found: `${distinct.length}`,
    hint: "give --public-key once for each key that may sign, and --require how many of them must",
  });
}
