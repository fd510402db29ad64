/** From a bundle's index and a chosen node to the list of goals. Pure. */
import { ExpectedError } from "#cli/errors";
import { goalsIn, nameOf, resourceOf } from "../resources/catalogue.ts";
import type { Phase, Plan } from "../resources/resource.ts";
import { withGrowth } from "./growth.ts";
import { withImages } from "./images.ts";
import type { PlanInput } from "./input.ts";
import { withObjects } from "./objects.ts";
import { place } from "./place.ts";
import { prepare } from "./prepare.ts";
import { start } from "./start.ts";
import { keepTime } from "./time-sync.ts";

/** The phases in order: `prepare`, `place`, `start …`. FORMAT_INVALID where a bundle wants one thing twice. */
export function plan(input: PlanInput): Plan {
  const phases: Phase[] = withGrowth([...prepare(input), place(input), ...keepTime(input), ...running(input)], input);
  refuseTwice(phases);
  return { phases: phases.filter(({ goals, gates }) => goals.length > 0 || gates.length > 0) };
}

/** Units, and what running ones take: with nothing started nobody takes it, and the first ./install that starts brings it. */
function running(input: PlanInput): Phase[] {
  const units = start(input);
  return (input.starts ?? true) ? withObjects(withImages(units, input), input) : units;
}

function refuseTwice(phases: readonly Phase[]): void {
  const seen = new Map<string, string>();
  for (const goal of goalsIn({ phases })) {
    const name = nameOf(goal);
    const what = resourceOf(goal).describe(goal.id);
    const first = seen.get(name);
    if (first !== undefined) {
      throw new ExpectedError("FORMAT_INVALID", `the bundle wants one thing twice: ${name}`, {
        found: `${first}; ${what}`,
        hint: "build the bundle again; this is a mistake in its release",
      });
    }
    seen.set(name, what);
  }
}
