/** Interleaved runs of ours and theirs, so that whatever else the machine does meets both; medians and their ratio. */
import type { Row } from "./row.ts";

/** What one run took. */
export interface Run {
  readonly seconds: number;
  /** Peak resident memory in bytes, where it is known. */
  readonly memory?: number | undefined;
}

export interface Side {
  readonly name: string;
  /** Not timed. */
  readonly prepare?: () => void;
  readonly run: () => Run | Promise<Run>;
}

export interface Comparison {
  /** As in {@link Row}. */
  readonly name: string;
  readonly ours: Side;
  readonly theirs: readonly Side[];
  /** Ours / the first of theirs, at most. */
  readonly goal: number;
}

/** Runs every side once to warm up, then `rounds` times in turn. */
export async function compare(comparison: Comparison, rounds: number): Promise<Row[]> {
  const sides = [comparison.ours, ...comparison.theirs];
  const runs = sides.map(() => [] as Run[]);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, side] of sides.entries()) {
      side.prepare?.();
      const run = await side.run();
      if (round > 0) runs[index]?.push(run);
    }
  }
  const ours = median((runs[0] ?? []).map(({ seconds }) => seconds));
  const peak = Math.max(0, ...(runs[0] ?? []).map(({ memory }) => memory ?? 0));
  return comparison.theirs.map((side, index) => {
    const theirs = median((runs[index + 1] ?? []).map(({ seconds }) => seconds));
    // Pair by pair: neighbours in time had the same machine.
    const pairs = (runs[0] ?? []).map((run, at) => run.seconds / (runs[index + 1]?.[at]?.seconds ?? Number.NaN));
    return {
      name: comparison.name,
      against: side.name,
      ours,
      theirs,
      ratio: median(pairs),
      unit: "s",
      memory: peak === 0 ? null : peak,
      goal: index === 0 ? comparison.goal : null,
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The wall-clock time of something synchronous. */
export function timed(work: () => void): Run {
  const from = performance.now();
  work();
  return { seconds: (performance.now() - from) / 1000 };
}
