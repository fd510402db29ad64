/** One member's bytes against what the index and SHA256SUMS say of them. */
import { isExpected } from "#cli/errors";
import { type Digest, digestFile } from "./digest.ts";
import type { Member } from "./member.ts";
import type { IntegrityProblem } from "./problem.ts";
import { sumsPath } from "./sums.ts";

/** A member, what the index wants of it, and the digest that SHA256SUMS lists. Plain data: it goes to other threads. */
export interface MemberCheck {
  readonly member: Member;
  readonly size?: number | undefined;
  readonly digest?: Digest | undefined;
  readonly listed?: Digest | undefined;
}

/** What is wrong with the bytes; [] when they are as expected. `halt` is called between reads, and may throw. */
export function checkMember(
  { member, size: wantedSize, digest, listed }: MemberCheck,
  halt: () => void,
): IntegrityProblem[] {
  const path = member.path;
  if (wantedSize !== undefined && wantedSize !== member.size) {
    const detail = { expected: `${wantedSize} bytes`, found: `${member.size} bytes` };
    return [{ member: path, code: "SIZE_MISMATCH", message: "has another size than the index says", ...detail }];
  }
  let found: Digest;
  let size: number;
  try {
    ({ digest: found, size } = digestFile(member.file, member.offset, member.size, halt));
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
  if (digest !== undefined && digest !== found) add(digest, "the index");
  if (listed !== undefined && listed !== found && listed !== digest) add(listed, sumsPath);
  return problems;
}

/** An error that an operator can act on as a problem of a member; any other is thrown again. */
export function asProblem(member: string, cause: unknown): IntegrityProblem {
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
