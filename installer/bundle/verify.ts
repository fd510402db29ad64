/** Every byte of every member, against SHA256SUMS and against the index. */
import type { Reporter } from "#cli/reporter";
import { accessProblems } from "./access.ts";
import { asProblem, type MemberCheck } from "./check-member.ts";
import { indexPath } from "./consistency.ts";
import type { Digest } from "./digest.ts";
import { checkContents } from "./extract.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath } from "./frames.ts";
import { type IntegrityProblem, problemError, Problems } from "./problem.ts";
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

/**
 * What is wrong with a bundle, the first thousand and how many more; [] = every byte is as signed. Throws only for what
 * cannot be read at all.
 */
export async function verifyBundle(bundle: Bundle, options: VerifyOptions = {}): Promise<IntegrityProblem[]> {
  const { index, source, sums } = bundle;
  const expected = expectedMembers(index);
  const problems = new Problems();
  problems.add(bundle.listing());
  problems.add(missingMembers(bundle, expected, options.needed, problems.members()));
  for (const path of sums.keys()) {
    if (!expected.has(path) || path === sumsPath)
      problems.add([{ member: path, code: "MEMBER_EXTRA", message: `${sumsPath} lists it and the index does not` }]);
  }
  problems.add(await memberBytes(bundle, expected, options));
  // Whose they are was checked when the bundle was opened, if anybody asked.
  for (const path of [...source.members.keys()].filter(isSignaturePath)) {
    const text = bundle.read(path)?.toString("utf8") ?? "";
    const form = async () => parseSignatureFile(path, text, `${bundle.where}: ${path}`);
    problems.add(await failure(path, form()));
  }
  const opened = new Set<string>();
  for (const { node, member, sealed } of index.secrets) {
    // A second entry of one member is a problem already; a hostile index has as many as it likes.
    if (sealed || opened.has(member) || !source.members.has(member)) continue;
    opened.add(member);
    problems.add(await failure(member, bundle.secrets(node, null)));
  }
  if (options.contents === true && problems.all().length === 0) {
    problems.add(await failure(indexPath, checkContents(source, index, options.signal)));
  }
  return problems.all();
}

/** Members that are not where they should be. Of those in `named` something is told already, and of a tar that ends early all that follows is missing. */
function* missingMembers(
  { source, sums }: Bundle,
  expected: ReadonlyMap<string, Expected>,
  needed: ReadonlySet<string> | undefined,
  named: ReadonlySet<string>,
): Generator<IntegrityProblem> {
  const isCut = source.kind === "tar" && source.problems.some(({ code }) => code === "TRUNCATED");
  for (const path of expected.keys()) {
    if (!isCut && (needed?.has(path) ?? true) && !source.members.has(path) && !named.has(path))
      yield { member: path, code: "MEMBER_MISSING", message: "is not there" };
    if (!sums.has(path) && path !== sumsPath)
      yield { member: path, code: "MEMBER_MISSING", message: `is not listed in ${sumsPath}` };
  }
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
