/** What a component is given by version: flags and fields of configuration files as rows of data. */
import { isAtLeast, type NodeContext } from "./context.ts";

/** A flag or a field: which versions of its component are given it, and its value on a node (null: not given there). */
export interface Row<Value> {
  readonly name: string;
  /** The first version that is given it; null: every one. */
  readonly since: string | null;
  /** The first version that is not given it any more; null: the newest still is. */
  readonly until: string | null;
  readonly value: Wanted<Value>;
}

type Wanted<Value> = Value | ((context: NodeContext) => Value | null);

/** Given to every version. */
export function always<Value>(name: string, value: Wanted<Value>): Row<Value> {
  return { name, since: null, until: null, value };
}

/** Given to `since` and all later versions. */
export function since<Value>(since: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, since, until: null, value };
}

/** Given to the versions before `until`. */
export function until<Value>(until: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, since: null, until, value };
}

/** Given to `since` and later versions before `until`. */
export function between<Value>(since: string, until: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, since, until, value };
}

/** Names and values of the rows that a node's `component` is given in its version; a later row replaces an earlier one. */
export function given<Value>(rows: readonly Row<Value>[], context: NodeContext, component: string): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const { name, since, until, value } of rows) {
    if (since !== null && !isAtLeast(context, since, component)) continue;
    if (until !== null && isAtLeast(context, until, component)) continue;
    const own = typeof value === "function" ? (value as (context: NodeContext) => Value | null)(context) : value;
    if (own !== null) found.set(name, own);
  }
  return found;
}
