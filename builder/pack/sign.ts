/** Signs a bundle: SHA256SUMS.minisig beside SHA256SUMS, and not one other byte changes. */
import { join } from "node:path";
import {
  type SigningKey,
  type TarMember,
  digestFile,
  openBundle,
  problemError,
  signSums,
  signaturePath,
  sumsPath,
  verifyBundle,
  writeTar,
} from "#bundle";
import { replaceFile, writeBeside } from "../durable-file.ts";

/**
 * Signs the bundle at `where` (a .tar, which is replaced, or a directory), replacing an older signature. Only what
 * verifies is signed: the first problem is thrown. `comment`: one line that is signed too.
 */
export async function signBundle(where: string, key: SigningKey, comment?: string): Promise<void> {
  const bundle = await openBundle(where);
  const problem = (await verifyBundle(bundle)).find(({ member }) => member !== signaturePath);
  if (problem !== undefined) throw problemError(problem, where);
  const text = signSums(bundle.sumsBytes, key, comment ?? `payload:${bundle.payloadDigest}`);
  const content = Buffer.from(text, "utf8");
  if (bundle.source.kind === "directory") {
    await replaceFile(join(where, signaturePath), content, 0o644);
    return;
  }
  const members = [...bundle.source.members.values()]
    .filter(({ path }) => path !== signaturePath)
    .flatMap((member): TarMember[] => {
      const { path, file, offset, size } = member;
      const executable = path === "install" || path.startsWith("bin/");
      const { digest } = digestFile(file, offset, size);
      const copy: TarMember = { path, mode: executable ? 0o755 : 0o644, file, offset, size, digest };
      return path === sumsPath ? [copy, { path: signaturePath, mode: 0o644, content }] : [copy];
    });
  await writeBeside(where, async (path) => writeTar(path, members));
}
