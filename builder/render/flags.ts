/** Command-line flags as rows of data, and how they are written into a unit. */
import { type Era, isWithin } from "../config/generations.ts";
import type { NodeContext } from "./context.ts";

/** One flag of a daemon: in which eras it is given, and its value on a node (null: not given there). */
export interface FlagRow {
  readonly flag: string;
  readonly from: Era | null;
  readonly until: Era | null;
  readonly value: (context: NodeContext) => string | null;
}

type Value = string | ((context: NodeContext) => string | null);

/** A flag of every generation. */
export function always(flag: string, value: Value): FlagRow {
  return row(flag, null, null, value);
}

/** A flag from one era on. */
export function since(from: Era, flag: string, value: Value): FlagRow {
  return row(flag, from, null, value);
}

/** A flag up to and with one era. */
export function until(last: Era, flag: string, value: Value): FlagRow {
  return row(flag, null, last, value);
}

/** A flag of the eras between two, both included. */
export function between(from: Era, last: Era, flag: string, value: Value): FlagRow {
  return row(flag, from, last, value);
}

/** `--flag=value` words of a daemon on a node, quoted for a unit; flags of cluster.yaml replace and follow ours. */
export function flagsOf(rows: readonly FlagRow[], context: NodeContext, daemon: string): string[] {
  const extra = context.topology.cluster.flags[daemon] ?? {};
  const given = new Map<string, string>();
  for (const { flag, from, until, value } of rows) {
    const text = isWithin(context.era, from, until) ? value(context) : null;
    if (text !== null) given.set(flag, text);
  }
  for (const [flag, value] of Object.entries(extra)) given.set(flag, value);
  // flanneld is the one daemon whose flags have one dash in its documentation; both forms are read by all.
  return [...given].map(([flag, value]) => quoteWord(`--${flag}=${value}`));
}

/** One word of an ExecStart line: `%` and `$` are systemd's own, blanks and quotes need quoting. */
export function quoteWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}

function row(flag: string, from: Era | null, last: Era | null, value: Value): FlagRow {
  return { flag, from, until: last, value: typeof value === "string" ? () => value : value };
}
