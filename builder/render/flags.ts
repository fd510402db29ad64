/** Command-line flags of daemons, and how they are written into a unit. */
import { componentOf } from "../config/flag-table.ts";
import type { NodeContext } from "../components/context.ts";
import { type FlagRow, given } from "../components/rows.ts";

/** `--flag=value` words of a daemon on a node, quoted for a unit; flags of cluster.yaml replace and follow ours. */
export function flagsOf(rows: readonly FlagRow[], context: NodeContext, daemon: string): string[] {
  const flags = given(rows, context, componentOf(daemon));
  for (const [flag, value] of Object.entries(context.topology.cluster.flags[daemon] ?? {})) flags.set(flag, value);
  // flanneld is the one daemon whose flags have one dash in its documentation; both forms are read by all.
  return [...flags].map(([flag, value]) => quoteWord(`--${flag}=${value}`));
}

/** One word of an ExecStart line: `%` and `$` are systemd's own, blanks and quotes need quoting. */
export function quoteWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}
