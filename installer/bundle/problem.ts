/** What is wrong with a bundle, one finding a member and cause. */
import { type ErrorCode, ExpectedError } from "#cli/errors";

/** One thing that verification found. `member` is the path in the bundle, or says which byte of the tar. */
export interface IntegrityProblem {
  readonly member: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  /** What to do, where a new copy of the bundle is not it. */
  readonly hint?: string;
}

/** More say nothing more, and those of a hostile bundle must fill neither the memory nor a screen. */
const mostKept = 1000;

/** What is found wrong: the first thousand problems, and how many there are beyond them. */
export class Problems {
  readonly #kept: IntegrityProblem[] = [];
  #beyond = 0;

  add(found: Iterable<IntegrityProblem>): void {
    for (const problem of found) {
      if (this.#kept.length < mostKept) this.#kept.push(problem);
      else this.#beyond += 1;
    }
  }

  /** The paths of those that are kept. */
  members(): Set<string> {
    return new Set(this.#kept.map(({ member }) => member));
  }

  /** Those that are kept; the last says how many more there are. [] = nothing is wrong. */
  all(): IntegrityProblem[] {
    const [first] = this.#kept;
    if (first === undefined || this.#beyond === 0) return this.#kept;
    return [...this.#kept, { member: "others", code: first.code, message: `problems beyond these: ${this.#beyond}` }];
  }
}

/** The problem as an error, for those who stop at the first one. */
export function problemError(problem: IntegrityProblem, where: string): ExpectedError {
  return new ExpectedError(problem.code, problem.message, {
    where: `${where}: ${problem.member}`,
    expected: problem.expected,
    found: problem.found,
    hint: problem.hint ?? "copy the bundle again from where it was built, then: kubeferry verify FILE",
  });
}
