/** Waiting for what a cluster does by itself. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds between two questions, and until the last one: emulated machines are slow. */
const pause = 3000;
const patience = 20 * 60_000;

/** Asks until the answer is as wanted and gives it; fails with the last answer. A question that throws has no answer yet. */
export async function eventually(
  what: string,
  ask: () => Promise<string>,
  isSo: (said: string) => boolean,
): Promise<string> {
  const deadline = Date.now() + patience;
  for (;;) {
    const said = await ask();
    if (isSo(said)) return said;
    if (Date.now() > deadline) return assert.fail(`${what} is still not so:\n${said}`);
    await sleep(pause);
  }
}
