/** Whose signatures a bundle must have before anything else of it is read. */
import { ExpectedError } from "#cli/errors";
import {
  checkSignature,
  keyName,
  malformed,
  type ParsedSignature,
  parseSignature,
  type PublicKey,
} from "./signature.ts";
import { signaturePath } from "./sums.ts";

/** At least `require` of `keys` must have signed. `from` says where they were given: `--public-key`, a folder. */
export interface Trust {
  readonly keys: readonly PublicKey[];
  readonly require: number;
  readonly from: string;
}

/** A signature that holds: of which key, and the comment that was signed with it. */
export interface GoodSignature {
  readonly key: string;
  readonly comment: string;
}

/**
 * The first signature is `SHA256SUMS.minisig`, where minisign looks for it; each further one has its key's name. One of
 * a key that nobody here asks for is passed over.
 */
export function isSignaturePath(path: string): boolean {
  return path === signaturePath || /^SHA256SUMS\.[0-9A-F]{16}\.minisig$/.test(path);
}

/** Where a further signature with the key of that name lies. */
export function furtherSignaturePath(name: string): string {
  return `SHA256SUMS.${name}.minisig`;
}

/** A signature by its file; SIGNATURE_INVALID also where it is of another key than the file's name says. */
export function parseSignatureFile(path: string, text: string, where: string): ParsedSignature {
  const parsed = parseSignature(text, where);
  const name = keyName(parsed.id);
  if (path === signaturePath || path === furtherSignaturePath(name)) return parsed;
  throw malformed(where, `it is of key ${name}, and its file's name says another`);
}

/**
 * The good signatures of `sums` among `signatures` (text by path). SIGNATURE_INVALID where they are fewer than asked
 * for, or one that says it is of a trusted key is not.
 */
export function checkTrust(
  sums: Uint8Array,
  signatures: ReadonlyMap<string, string>,
  { keys, require, from }: Trust,
  where: string,
): GoodSignature[] {
  const good = new Map<string, GoodSignature>();
  const strangers: string[] = [];
  for (const [path, text] of signatures) {
    const place = `${where}: ${path}`;
    const { id } = parseSignatureFile(path, text, place);
    const key = keys.find((one) => one.id.equals(id));
    if (key === undefined) strangers.push(keyName(id));
    else good.set(keyName(id), { key: keyName(id), comment: checkSignature(sums, text, key, place) });
  }
  if (good.size >= require) return [...good.values()];
  const ids = keys.map(({ id }) => keyName(id)).join(", ");
  const found = [...good.keys(), ...strangers].join(", ");
  throw new ExpectedError("SIGNATURE_INVALID", refusal(signatures.size, good.size, require), {
    where,
    expected: `${require > 1 ? `${require} of ` : ""}key ${ids} (${from})`,
    found: found === "" ? "no signature" : `key ${found}`,
    hint: "take the bundle from who signs it, or ask them for their public key: never from the medium the bundle came on",
  });
}

function refusal(present: number, good: number, require: number): string {
  if (present === 0) return "the bundle is not signed";
  if (good === 0) return "the bundle was signed with another key";
  return `the bundle has ${good} of the ${require} signatures that are asked for`;
}
