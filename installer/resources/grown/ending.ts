/** Processes as a state of a host, and their end. */
import type { Effect } from "../../host/effect.ts";
import type { Process } from "../../host/processes.ts";
import { describeProcess } from "./runtime.ts";

export interface EndState {
  readonly processes: readonly { readonly pid: number; readonly started: string; readonly what: string }[];
}

/** As they are recorded. */
export function noted(found: readonly Process[]): EndState["processes"] {
  return found
    .map((one) => ({ pid: one.pid, started: one.started, what: describeProcess(one) }))
    .toSorted((a, b) => a.pid - b.pid);
}

/** The end of those that were not there before. */
export function endSteps(now: EndState, before: EndState, graceSeconds: number): Effect[] {
  const old = new Set(before.processes.map(({ pid, started }) => `${pid} ${started}`));
  const fresh = now.processes.filter(({ pid, started }) => !old.has(`${pid} ${started}`));
  return fresh.length === 0 ? [] : [{ do: "end", processes: fresh, graceSeconds }];
}
