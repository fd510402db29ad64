/** A client that asks pods every so often, by every way to them, and who of them did not answer. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Milliseconds between two rounds. */
const pause = 250;

export class Reader {
  /** How many answers came. */
  answered = 0;
  /** Which address did not answer, when, and in curl's words. */
  readonly failed: string[] = [];
  readonly #ended: Promise<void>;
  readonly #end = new AbortController();

  /** Begins to ask. `on`: the command that runs a program where the client is. */
  constructor(on: (argv: readonly string[]) => string[], urls: readonly string[]) {
    this.#ended = this.#ask(on, urls);
  }

  /** What failed while something else was done. */
  async during(action: () => Promise<unknown>): Promise<readonly string[]> {
    const before = this.failed.length;
    await action();
    return this.failed.slice(before);
  }

  /** Ends it after the round in hand. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#ended;
  }

  async #ask(on: (argv: readonly string[]) => string[], urls: readonly string[]): Promise<void> {
    for (let round = 0; !this.#end.signal.aborted; round += 1) {
      const url = urls[round % urls.length] ?? "";
      const [program = "", ...words] = on(["curl", "-sS", "--fail", "-m", "10", "-o", "/dev/null", url]);
      const { stderr } = await run(program, words).catch((error: { stderr: string }) => error);
      if (stderr === "") this.answered += 1;
      else this.failed.push(`${new Date().toISOString()} ${url}: ${stderr.trim()}`);
      await sleep(pause);
    }
  }
}
