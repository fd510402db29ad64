/** Each resource by itself: from any state between two states its steps reach either of them, and then there are none left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { digestOf } from "#bundle";
import type { Effect } from "../../installer/host/effect.ts";
import { goalsIn, nameOf, resourceOf } from "../../installer/resources/catalogue.ts";
import { type Goal, isUnknown } from "../../installer/resources/resource.ts";
import { arbitraryHost, arbitraryPlan, makeHost, makePlan, planContents } from "../builders/arbitrary-host.ts";
import { Crash, type FakeHost } from "../fakes/fake-host.ts";
import { runs } from "../programs/runs.ts";

/** Where the power goes on the way: after how many effects, and within the next one. */
const cuts = fc.array(fc.record({ effects: fc.nat({ max: 4 }), inside: fc.boolean() }), { minLength: 1, maxLength: 3 });

test("steps lead from any state between to what is wanted, back to what was there, and leave nothing to do", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHost, arbitraryPlan, cuts, async (hostWish, planWish, places) => {
      const host = makeHost(hostWish);
      for (const text of planContents) host.staged.set(digestOf(text), text);
      for (const goal of goalsIn(makePlan(planWish, host.live))) {
        const before = await seen(host, goal);
        if (isUnknown(before)) continue;
        const resource = resourceOf(goal);
        const after = resource.spec(goal.id, before);
        for (const cut of places) {
          await towards(host, goal, after, cut);
          await towards(host, goal, before, cut);
          await reach(host, goal, before);
        }
        await reach(host, goal, after);
        assert.ok(resource.equal(after, resource.spec(goal.id, after)), `${nameOf(goal)} is what it is to be`);
      }
    }),
    { numRuns: runs(30) },
  );
});

function seen(host: FakeHost, { resource, id }: Goal): Promise<unknown> {
  return resourceOf({ resource }).inspect(host, id);
}

async function stepsTo(host: FakeHost, goal: Goal, to: unknown): Promise<Effect[]> {
  return resourceOf(goal).steps(goal.id, await seen(host, goal), to);
}

/** Some of the steps, the last of them half done. */
async function towards(
  host: FakeHost,
  goal: Goal,
  to: unknown,
  cut: { effects: number; inside: boolean },
): Promise<void> {
  const steps = await stepsTo(host, goal, to);
  const whole = steps.slice(0, cut.effects);
  for (const effect of whole) await host.perform(effect);
  const next = steps[whole.length];
  if (next === undefined || !cut.inside) return;
  host.cut = { effect: host.performed.length, where: "inside" };
  await host.perform(next).catch((error: unknown) => assert.ok(error instanceof Crash));
  host.off = false;
  host.cut = null;
}

async function reach(host: FakeHost, goal: Goal, to: unknown): Promise<void> {
  for (const effect of await stepsTo(host, goal, to)) await host.perform(effect);
  const now = await seen(host, goal);
  assert.ok(resourceOf(goal).equal(now, to), `${nameOf(goal)} is ${JSON.stringify(now)}, not ${JSON.stringify(to)}`);
  assert.deepEqual(await stepsTo(host, goal, to), [], nameOf(goal));
}
