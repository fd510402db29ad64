/** Several things that can each be missing: everything that is missing is told at once. Any other failure ends it. */
import pLimit from "p-limit";
import { type ErrorProblem, ExpectedError, isExpected } from "#cli/errors";

/** `work` for each item, so many at a time. NOT_FOUND, OFFLINE and PIN_MISSING wait for the others; see {@link allOf}. */
export async function forEachOf<Item, Result>(
  items: readonly Item[],
  parallel: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(parallel);
  const failures: unknown[] = [];
  const results = await Promise.all(
    items.map((item) =>
      limit(async () => {
        if (!failures.every(isMissing)) return null;
        try {
          return { value: await work(item) };
        } catch (error) {
          failures.push(error);
          return null;
        }
      }),
    ),
  );
  if (failures.length > 0) throw allOf(failures);
  return results.flatMap((one) => (one === null ? [] : [one.value]));
}

/** One after the other, as {@link forEachOf}. */
export async function inTurn<Values extends readonly unknown[]>(steps: {
  readonly [Index in keyof Values]: () => Promise<Values[Index]>;
}): Promise<Values> {
  const values = await forEachOf(steps as readonly (() => Promise<unknown>)[], 1, (step) => step());
  return values as unknown as Values;
}

/** Whether only this one thing is not there, which says nothing about the others. */
export function isMissing(error: unknown): boolean {
  return isExpected(error, "NOT_FOUND", "OFFLINE", "PIN_MISSING");
}

/** One error for several failures (at least one): what is not just missing, else all, each as a problem of its own. */
export function allOf(failures: readonly unknown[]): unknown {
  const [first] = failures;
  const other = failures.find((one) => !isMissing(one));
  if (other !== undefined || failures.length === 1) return other ?? first;
  const expected = failures.filter((one) => isExpected(one));
  const problems = expected.flatMap((one): readonly ErrorProblem[] =>
    one.problems.length > 0 ? one.problems : [{ where: one.where, message: one.message }],
  );
  const [{ code, hint } = { code: "NOT_FOUND" as const, hint: undefined }] = expected;
  return new ExpectedError(code, `${problems.length} things are missing`, { problems, hint });
}
