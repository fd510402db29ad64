/** What is wrong with a bundle, one finding a member and cause. */
import { type ErrorCode, ExpectedError } from "#cli/errors";

/** One thing that verification found. `member` is the path in the bundle, or says which byte of the tar. */
export interface IntegrityProblem {
  readonly member: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
}

/** The problem as an error, for those who stop at the first one. */
export function problemError(problem: IntegrityProblem, where: string): ExpectedError {
  return new ExpectedError(problem.code, problem.message, {
    where: `${where}: ${problem.member}`,
    expected: problem.expected,
    found: problem.found,
    hint: "copy the bundle again from where it was built, then: kubeferry verify FILE",
  });
}
