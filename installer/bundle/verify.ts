/** Every byte of every member, against SHA256SUMS and against the index. */
import type { Reporter } from "#cli/reporter";
import { accessProblems } from "./access.ts";
import { asProblem, type MemberCheck } from "./check-member.ts";
import { indexPath } from "./consistency.ts";
import type { Digest } from "./digest.ts";
import { checkContents } from "./extract.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath } from "./frames.ts";
import { type IntegrityProblem, problemError } from "./problem.ts";
import type { Bundle } from "./reader.ts";
import { sumsPath } from "./sums.ts";
import { isSignaturePath, parseSignatureFile } from "./trust.ts";
import { inPool } from "./workers/pool.ts";

export interface VerifyOptions {
  readonly reporter?: Pick<Reporter, "progress"> | undefined;
  /** Aborted: nothing more is read, and its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** The only members that must be there: what one node needs. Absent: all of them. What is there is checked in any case. */
  readonly needed?: ReadonlySet<string> | undefined;
  /** Also decode every frame and check every content in it; the stored bytes' digests already cover them. */
  readonly contents?: boolean | undefined;
}

/** {@link verifyBundle} for those who go on with a whole one only: every problem is told, of which the first is thrown. */
export async function requireWhole(
  bundle: Bundle,
  options: VerifyOptions & { readonly reporter: Pick<Reporter, "progress" | "error"> },
): Promise<void> {
  const [first, ...more] = await verifyBundle(bundle, options);
  for (const problem of more) options.reporter.error(problemError(problem, bundle.where));
  if (first !== undefined) throw problemError(first, bundle.where);
}

/** Everything that is wrong with a bundle; [] = every byte is as signed. Throws only for what cannot be read at all. */
export async function verifyBundle(bundle: Bundle, options: VerifyOptions = {}): Promise<IntegrityProblem[]> {
  const { index, source, sums } = bundle;
  const expected = expectedMembers(index);
  const problems: IntegrityProblem[] = [...bundle.listing];
  const spoken = new Set(problems.map(({ member }) => member));

  for (const path of expected.keys()) {
    const needed = options.needed?.has(path) ?? true;
    if (needed && !source.members.has(path) && !spoken.has(path)) {
      problems.push({ member: path, code: "MEMBER_MISSING", message: "is not there" });
    }
    if (!sums.has(path) && path !== sumsPath) {
      problems.push({ member: path, code: "MEMBER_MISSING", message: `is not listed in ${sumsPath}` });
    }
  }
  for (const path of sums.keys()) {
    if (!expected.has(path) || path === sumsPath) {
      problems.push({ member: path, code: "MEMBER_EXTRA", message: `${sumsPath} lists it and the index does not` });
    }
  }
  problems.push(...(await memberBytes(bundle, expected, options)));
  // Whose they are was checked when the bundle was opened, if anybody asked.
  for (const path of [...source.members.keys()].filter(isSignaturePath)) {
    const text = bundle.read(path)?.toString("utf8") ?? "";
    const form = async () => parseSignatureFile(path, text, `${bundle.where}: ${path}`);
    problems.push(...(await failure(path, form())));
  }
  for (const { node, member, sealed } of index.secrets) {
    if (!sealed && source.members.has(member)) problems.push(...(await failure(member, bundle.secrets(node, null))));
  }
  if (options.contents === true && problems.length === 0) {
    problems.push(...(await failure(indexPath, checkContents(source, index, options.signal))));
  }
  return problems;
}

interface Expected {
  readonly size?: number;
  readonly mode?: number;
  readonly digest?: Digest;
}

function expectedMembers(index: BundleIndex): Map<string, Expected> {
  const expected = new Map<string, Expected>([
    [indexPath, {}],
    [sumsPath, {}],
  ]);
  for (const [path, { size, digest, mode }] of Object.entries(index.members)) {
    expected.set(path, { size, digest, mode: Number.parseInt(mode, 8) });
  }
  for (const [digest, { size }] of Object.entries(index.blobs)) {
    expected.set(blobPath(digest as Digest), { size, digest: digest as Digest });
  }
  for (const { member } of index.secrets) expected.set(member, {});
  return expected;
}

async function memberBytes(
  bundle: Bundle,
  expected: ReadonlyMap<string, Expected>,
  { reporter, signal }: VerifyOptions,
): Promise<IntegrityProblem[]> {
  const members = [...bundle.source.members.values()];
  const checks = members.flatMap((member): MemberCheck[] => {
    const want = expected.get(member.path);
    if (want === undefined || member.path === sumsPath) return [];
    return [{ member, size: want.size, digest: want.digest, listed: bundle.sums.get(member.path) }];
  });
  const total = checks.reduce((sum, { member }) => sum + member.size, 0);
  let bytes = 0;
  const found = await inPool("check", checks, {
    signal,
    weight: ({ member }) => member.size,
    done: ({ member }) => reporter?.progress("verify", (bytes += member.size), total),
  });
  const wrong = new Map(checks.map(({ member }, at) => [member.path, found[at] ?? []]));
  return members.flatMap((member) => {
    const { path } = member;
    const want = expected.get(path);
    const access = accessProblems(bundle.source.kind, member, want?.mode ?? 0o644);
    if (want !== undefined || isSignaturePath(path)) return [...(wrong.get(path) ?? []), ...access];
    return [{ member: path, code: "MEMBER_EXTRA", message: "is not in the index" }, ...access];
  });
}

async function failure(member: string, task: Promise<unknown>): Promise<IntegrityProblem[]> {
  try {
    await task;
    return [];
  } catch (cause) {
    return [asProblem(member, cause)];
  }
}
