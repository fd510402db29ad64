/**
 * A delta: a bundle without the blobs and installers that an older bundle, already beyond the gap, has too. It is a plain
 * tar like the whole one; `applyDelta` puts both together to the very bytes of the new bundle. By hand: unpack `blobs` and
 * `bin` of the old one and then the delta into one folder, and `sha256sum -c SHA256SUMS`.
 */
import { statSync } from "node:fs";
import {
  type Bundle,
  type Member,
  type TarMember,
  digestFile,
  isSignaturePath,
  openBundle,
  problemError,
  sumsPath,
  verifyBundle,
  writeTar,
  writeBeside,
} from "#bundle";
import { ExpectedError } from "#cli/errors";

export interface Delta {
  readonly path: string;
  readonly size: number;
  /** Bytes of the blobs and installers that need not travel. */
  readonly saved: number;
}

/** Writes to `output` what `where` has and `base` has not. Both must verify; the first problem is thrown. */
export async function writeDelta(where: string, base: string, output: string): Promise<Delta> {
  const whole = await openVerified(where);
  const older = await openVerified(base);
  const isOld = ({ path }: Member): boolean =>
    /^(blobs|bin)\//.test(path) && memberAlike(whole, older, path) !== undefined;
  const members = inOrder(whole).flatMap((path) => whole.source.members.get(path) ?? []);
  const saved = members.filter(isOld).reduce((sum, { size }) => sum + size, 0);
  const rest = members.filter((member) => !isOld(member)).map((member) => copyOf(member));
  await writeBeside(output, async (temporary) => writeTar(temporary, rest, undefined, modeOf(where)));
  return { path: output, size: statSync(output).size, saved };
}

/** Writes to `output` the bundle that `delta` was made of, taking the rest from `base`. MEMBER_MISSING for a wrong base. */
export async function applyDelta(delta: string, base: string, output: string): Promise<void> {
  const newer = await openBundle(delta);
  const older = await openBundle(base);
  const members = inOrder(newer).map((path) => {
    const member = newer.source.members.get(path) ?? memberAlike(newer, older, path);
    if (member !== undefined) return copyOf(member);
    throw new ExpectedError(
      "MEMBER_MISSING",
      "neither the delta nor the older bundle has a member that the new one needs",
      {
        where: path,
        hint: "give the older bundle that the delta was made against: kubeferry join DELTA --base OLD.tar",
      },
    );
  });
  await writeBeside(output, async (temporary) => {
    writeTar(temporary, members, undefined, modeOf(delta));
    await openVerified(temporary);
  });
}

/** The older bundle's member of that path, if it is what the newer one lists there. */
function memberAlike(newer: Bundle, older: Bundle, path: string): Member | undefined {
  return newer.sums.get(path) === older.sums.get(path) ? older.source.members.get(path) : undefined;
}

/** The first problem is thrown. */
export async function openVerified(where: string): Promise<Bundle> {
  const bundle = await openBundle(where);
  const [problem] = await verifyBundle(bundle);
  if (problem !== undefined) throw problemError(problem, where);
  return bundle;
}

/** Paths in the order in which Kubeferry writes them: signatures, SHA256SUMS, and the rest as that lists it. */
export function inOrder({ sums, source }: Bundle): string[] {
  const signatures = [...source.members.keys()].filter(isSignaturePath);
  return [...signatures, sumsPath, ...sums.keys()];
}

function copyOf({ path, file, offset, size }: Member): TarMember {
  return { path, mode: modeInTar(path), file, offset, size, digest: digestFile(file, offset, size).digest };
}

export function modeInTar(path: string): number {
  return path === "install" || path.startsWith("bin/") ? 0o755 : 0o644;
}

/** What is made of a bundle whose secrets are not sealed is as private as that. */
export function modeOf(file: string): number {
  const stat = statSync(file);
  return stat.isFile() ? stat.mode & 0o777 : 0o644;
}
