/** Every byte of every member, against SHA256SUMS and against the index. */
import type { Reporter } from "#cli/reporter";
import { isExpected } from "#cli/errors";
import { accessProblems } from "./access.ts";
import { indexPath } from "./consistency.ts";
import { type Digest, digestFile } from "./digest.ts";
import { checkContents } from "./extract.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath } from "./frames.ts";
import type { Member } from "./member.ts";
import type { IntegrityProblem } from "./problem.ts";
import type { Bundle } from "./reader.ts";
import { parseSignature } from "./signature.ts";
import { sumsPath } from "./sums.ts";
import { isSignaturePath } from "./trust.ts";

export interface VerifyOptions {
  readonly reporter?: Pick<Reporter, "progress"> | undefined;
  /** Also decode every frame and check every content in it; the stored bytes' digests already cover them. */
  readonly contents?: boolean | undefined;
}

/** Everything that is wrong with a bundle; [] = every byte is as signed. Throws only for what cannot be read at all. */
export async function verifyBundle(bundle: Bundle, options: VerifyOptions = {}): Promise<IntegrityProblem[]> {
  const { index, source, sums } = bundle;
  const expected = expectedMembers(index);
  const problems: IntegrityProblem[] = [...bundle.listing];
  const spoken = new Set(problems.map(({ member }) => member));

  for (const path of expected.keys()) {
    if (!source.members.has(path) && !spoken.has(path)) {
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
  problems.push(...(await memberBytes(bundle, expected, options.reporter)));
  // Whose they are was checked when the bundle was opened, if anybody asked.
  for (const path of [...source.members.keys()].filter(isSignaturePath)) {
    const form = async () => parseSignature(bundle.read(path)?.toString("utf8") ?? "", `${bundle.where}: ${path}`);
    problems.push(...(await failure(path, form())));
  }
  for (const { node, member, sealed } of index.secrets) {
    if (!sealed && source.members.has(member)) problems.push(...(await failure(member, bundle.secrets(node, null))));
  }
  if (options.contents === true && problems.length === 0) {
    problems.push(...(await failure(indexPath, checkContents(source, index))));
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
  reporter: VerifyOptions["reporter"],
): Promise<IntegrityProblem[]> {
  const problems: IntegrityProblem[] = [];
  const members = [...bundle.source.members.values()];
  const total = members.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const member of members) {
    const want = expected.get(member.path);
    if (want === undefined) {
      if (!isSignaturePath(member.path)) {
        problems.push({ member: member.path, code: "MEMBER_EXTRA", message: "is not in the index" });
      }
    } else if (member.path !== sumsPath) {
      problems.push(...checkMember(member, want, bundle.sums.get(member.path)));
    }
    problems.push(...accessProblems(bundle.source.kind, member, want?.mode ?? 0o644));
    done += member.size;
    reporter?.progress("verify", done, total);
    // Hashing is synchronous for its speed; a turn of the loop lets Ctrl-C through.
    await new Promise(setImmediate);
  }
  return problems;
}

function checkMember(member: Member, want: Expected, listed: Digest | undefined): IntegrityProblem[] {
  const path = member.path;
  if (want.size !== undefined && want.size !== member.size) {
    const detail = { expected: `${want.size} bytes`, found: `${member.size} bytes` };
    return [{ member: path, code: "SIZE_MISMATCH", message: "has another size than the index says", ...detail }];
  }
  let found: Digest;
  let size: number;
  try {
    ({ digest: found, size } = digestFile(member.file, member.offset, member.size));
  } catch (cause) {
    return [asProblem(path, cause)];
  }
  if (size !== member.size) {
    const detail = { expected: `${member.size} bytes`, found: `${size} bytes` };
    return [{ member: path, code: "TRUNCATED", message: "ends early", ...detail }];
  }
  const problems: IntegrityProblem[] = [];
  const add = (expected: Digest, whose: string): void => {
    problems.push({ member: path, code: "DIGEST_MISMATCH", message: `is not what ${whose} says`, expected, found });
  };
  if (want.digest !== undefined && want.digest !== found) add(want.digest, "the index");
  if (listed !== undefined && listed !== found && listed !== want.digest) add(listed, sumsPath);
  return problems;
}

async function failure(member: string, task: Promise<unknown>): Promise<IntegrityProblem[]> {
  try {
    await task;
    return [];
  } catch (cause) {
    return [asProblem(member, cause)];
  }
}

function asProblem(member: string, cause: unknown): IntegrityProblem {
  if (!isExpected(cause)) throw cause;
  const { code, message, expected, found } = cause;
  return {
    member,
    code,
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  };
}
