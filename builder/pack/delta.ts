/**
 * A delta: a bundle without the blobs that an older bundle, already beyond the gap, has too. It is a plain tar like
 * the whole one; `applyDelta` puts both together to the very bytes of the new bundle. By hand: unpack the blobs of the
 * old one and then the delta into one folder, and `sha256sum -c SHA256SUMS`.
 */
import {
  type Bundle,
  type Member,
  type TarMember,
  digestFile,
  indexPath,
  openBundle,
  problemError,
  signaturePath,
  sumsPath,
  verifyBundle,
  writeTar,
} from "#bundle";
import { ExpectedError } from "#kit/errors";
import { writeBeside } from "../durable-file.ts";

export interface Delta {
  readonly path: string;
  /** Bytes of the blobs that need not travel. */
  readonly saved: number;
}

/** Writes to `output` what `where` has and `base` has not. Both must verify; the first problem is thrown. */
export async function writeDelta(where: string, base: string, output: string): Promise<Delta> {
  const whole = await openVerified(where);
  const older = await openVerified(base);
  const isOld = (member: Member): boolean => member.path.startsWith("blobs/") && older.source.members.has(member.path);
  const members = inOrder(whole).flatMap((path) => whole.source.members.get(path) ?? []);
  const saved = members.filter(isOld).reduce((sum, { size }) => sum + size, 0);
  const rest = members.filter((member) => !isOld(member)).map((member) => copyOf(member));
  await writeBeside(output, async (temporary) => writeTar(temporary, rest));
  return { path: output, saved };
}

/** Writes to `output` the bundle that `delta` was made of, taking the rest from `base`. MEMBER_MISSING for a wrong base. */
export async function applyDelta(delta: string, base: string, output: string): Promise<void> {
  const newer = await openBundle(delta);
  const older = await openBundle(base);
  const members = inOrder(newer).map((path) => {
    const member = newer.source.members.get(path) ?? older.source.members.get(path);
    if (member !== undefined) return copyOf(member);
    throw new ExpectedError(
      "MEMBER_MISSING",
      "neither the delta nor the older bundle has a blob that the new one needs",
      {
        where: path,
        hint: "give the older bundle that the delta was made against: kubeferry join DELTA --base OLD.tar",
      },
    );
  });
  await writeBeside(output, async (temporary) => {
    writeTar(temporary, members);
    await openVerified(temporary);
  });
}

async function openVerified(where: string): Promise<Bundle> {
  const bundle = await openBundle(where);
  const [problem] = await verifyBundle(bundle);
  if (problem !== undefined) throw problemError(problem, where);
  return bundle;
}

/** Paths in the order in which Kubeferry writes them: SHA256SUMS lists them so, except itself and its signature. */
function inOrder({ sums, source }: Bundle): string[] {
  const signature = source.members.has(signaturePath) ? [signaturePath] : [];
  return [indexPath, sumsPath, ...signature, ...[...sums.keys()].filter((path) => path !== indexPath)];
}

function copyOf({ path, file, offset, size }: Member): TarMember {
  const mode = path === "install" || path.startsWith("bin/") ? 0o755 : 0o644;
  return { path, mode, file, offset, size, digest: digestFile(file, offset, size).digest };
}
