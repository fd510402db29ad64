/** Waiting for what a cluster does by itself. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Seconds between two questions, and how many are asked: a quarter of an hour, since emulated machines are slow. */
const pause = 3;
const tries = 300;

/** Asks until the answer is as wanted and gives it; fails with the last answer. A question that throws has no answer yet. */
export async function eventually(
  what: string,
  ask: () => Promise<string>,
  isSo: (said: string) => boolean,
): Promise<string> {
  let said = "";
  for (let count = 0; count < tries; count += 1) {
    said = await ask();
    if (isSo(said)) return said;
    await sleep(pause * 1000);
  }
  return assert.fail(`${what} is still not so:\n${said}`);
}
