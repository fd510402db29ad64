/** One result of the bench, for machines as it is and for people as a line of a table. */

export interface Row {
  /** What was measured: `verify`, `pack`, `pack-warm` … */
  readonly name: string;
  /** What it is measured against: a command line, or the limit's own words. */
  readonly against: string;
  /** Medians, in `unit`. */
  readonly ours: number;
  readonly theirs: number | null;
  /** The median of neighbouring pairs, ours / theirs. */
  readonly ratio: number | null;
  readonly unit: "s" | "ms" | "MB" | "KB";
  /** Peak resident memory of ours in bytes, where it is known. */
  readonly memory: number | null;
  /** The most that `ratio` (or `ours`, where there is no ratio) should be. */
  readonly goal: number | null;
}

const widths = [12, 64, 9, 9, 6, 7, 7];

export const heading = [
  cells(["what", "against", "ours", "theirs", "ratio", "goal", "memory"]),
  `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
].join("\n");

export function line({ name, against, ours, theirs, ratio, unit, memory, goal }: Row): string {
  const amount = (value: number | null): string =>
    value === null ? "" : `${value.toFixed(unit === "s" ? 2 : 0)} ${unit}`;
  const size = memory === null ? "" : `${(memory / 1e6).toFixed(0)} MB`;
  const bound = goal === null ? "" : `≤ ${goal}`;
  return cells([name, against, amount(ours), amount(theirs), ratio === null ? "" : ratio.toFixed(2), bound, size]);
}

function cells(words: readonly string[]): string {
  return `| ${words.map((word, index) => word.padEnd(widths[index] ?? 0)).join(" | ")} |`;
}
