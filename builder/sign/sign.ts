/** Signs a bundle: a signature before SHA256SUMS, and not one other byte changes. */
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  type Bundle,
  digestFile,
  furtherSignaturePath,
  isSignaturePath,
  keyName,
  openBundle,
  parseSignature,
  problemError,
  signaturePath,
  sumsPath,
  type TarMember,
  verifyBundle,
  writeTar,
  replaceFile,
  writeBeside,
} from "#bundle";
import { type SigningKey, signSums } from "./secret-key.ts";

/**
 * Signs the bundle at `where` (a .tar, which is replaced, or a directory). Signatures of other keys stay, an older one of
 * this key is replaced. Only what verifies is signed: the first problem is thrown. `comment`: one line that is signed too.
 */
export async function signBundle(where: string, key: SigningKey, comment?: string): Promise<void> {
  const bundle = await openBundle(where);
  const problem = (await verifyBundle(bundle)).find(({ member }) => !isSignaturePath(member));
  if (problem !== undefined) throw problemError(problem, where);
  const present = signaturesOf(bundle);
  const path = pathFor(key, present);
  const content = Buffer.from(signSums(bundle.sumsBytes, key, comment ?? `payload:${bundle.payloadDigest}`));
  if (bundle.source.kind === "directory") {
    await replaceFile(join(where, path), content, 0o644);
    return;
  }
  const all = bundle.source.members;
  const kept = [...present.keys()].filter((one) => one !== path).flatMap((one) => all.get(one) ?? []);
  const rest = [...all.values()].filter((member) => member.path !== sumsPath && !isSignaturePath(member.path));
  const sums = all.get(sumsPath);
  const copies = [...kept, ...(sums === undefined ? [] : [sums]), ...rest].map((member): TarMember => {
    const { digest } = digestFile(member.file, member.offset, member.size);
    return {
      path: member.path,
      mode: member.mode,
      file: member.file,
      offset: member.offset,
      size: member.size,
      digest,
    };
  });
  // A bundle whose secrets are not sealed stays as private as it was.
  const mode = statSync(where).mode & 0o777;
  const signature: TarMember = { path, mode: 0o644, content };
  const members = [signature, ...copies].toSorted((a, b) => rank(a.path) - rank(b.path));
  await writeBeside(where, async (temporary) => writeTar(temporary, members, undefined, mode));
}

/** Signature members for a SHA256SUMS that is still to be written, in the order of the keys. */
export function signatureMembers(sums: Buffer, keys: readonly SigningKey[], comment: string): TarMember[] {
  const present = new Map<string, string>();
  return keys.map((key) => {
    const path = pathFor(key, present);
    present.set(path, keyName(key.id));
    return { path, mode: 0o644, content: Buffer.from(signSums(sums, key, comment)) };
  });
}

/** Signatures first, then what they sign, then the rest as it was: so a reader needs no other byte to check them. */
function rank(path: string): number {
  return path === signaturePath ? 0 : isSignaturePath(path) ? 1 : path === sumsPath ? 2 : 3;
}

/** The name of the key of each signature, by its path. */
function signaturesOf(bundle: Bundle): Map<string, string> {
  const paths = [...bundle.source.members.keys()].filter(isSignaturePath);
  return new Map(
    paths.map((path) => [path, keyName(parseSignature(bundle.read(path)?.toString("utf8") ?? "", path).id)]),
  );
}

function pathFor(key: SigningKey, present: ReadonlyMap<string, string>): string {
  const name = keyName(key.id);
  const own = [...present].find(([, of]) => of === name)?.[0];
  return own ?? (present.has(signaturePath) ? furtherSignaturePath(name) : signaturePath);
}
