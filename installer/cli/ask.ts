/** Asks a person at the terminal. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ExpectedError } from "./errors.ts";
import type { Surroundings } from "./run.ts";

/** The answer; null where there is no terminal, or where it was closed instead (Ctrl-D). INTERRUPTED by Ctrl-C. */
export async function ask(
  { in: input, err, signal }: Pick<Surroundings, "in" | "err" | "signal">,
  question: string,
  hidden = false,
): Promise<string | null> {
  if (input.isTTY !== true) return null;
  // What is typed for a hidden answer is echoed by nobody: readline's own output goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, terminal: hidden, ...(hidden ? { output: nowhere } : {}) });
  // Only now: before that, the terminal itself would echo what is typed at once.
  err.write(question);
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const interrupt = (): void =>
    reject(new ExpectedError("INTERRUPTED", "stopped at a question", { hint: "run the same command again" }));
  // Not readline's own promise: it is never settled where the terminal is closed instead of an answer.
  lines.once("line", resolve).once("close", () => resolve(null));
  lines.once("SIGINT", interrupt);
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", interrupt);
    lines.close();
    if (hidden) err.write("\n");
  }
}
