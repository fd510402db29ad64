/** The operator's yes. */
import { ExpectedError } from "#cli/errors";
import type { Context } from "../context.ts";

/** NOT_CONFIRMED for any other answer, and where there is no terminal. */
export async function confirm(question: string, context: Context): Promise<void> {
  const answer = await context.ask(`${context.reporter.language.say(question)} [y/N] `, false);
  if (answer !== null && /^y(es)?$/i.test(answer.trim())) return;
  throw new ExpectedError("NOT_CONFIRMED", answer === null ? "there is no terminal to ask at" : "nothing was changed", {
    hint: "add --dry-run to see every step, --yes to do them without a question",
  });
}
