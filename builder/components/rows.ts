/** What a component is given by version: flags and fields of configuration files as rows of data. */
import { isSince } from "#formats/version";
import { versionOf } from "../config/versions.ts";
import type { NodeContext } from "./context.ts";

/** A flag or a field: which versions of its component are given it, and its value on a node (null: not given there). */
export interface Row<Value> {
  readonly name: string;
  /** The first version that is given it; without: every one. */
  readonly since?: string;
  /** The first version that is not given it any more; without: the newest still is. */
  readonly until?: string;
  readonly value: Wanted<Value>;
}

/** One flag of a daemon. */
export type FlagRow = Row<string>;
/** A field at the top of a configuration: text, number, list or mapping. */
export type FieldRow = Row<unknown>;

type Wanted<Value> = Value | ((context: NodeContext) => Value | null);

/** Given to every version. */
export function always<Value>(name: string, value: Wanted<Value>): Row<Value> {
  return { name, value };
}

/** Given to `since` and all later versions. */
export function since<Value>(since: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, since, value };
}

/** Given to the versions before `until`. */
export function until<Value>(until: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, until, value };
}

/** Given to `since` and later versions before `until`. */
export function between<Value>(since: string, until: string, name: string, value: Wanted<Value>): Row<Value> {
  return { name, since, until, value };
}

/** Names and values of the rows that a node's `component` is given in its version; a later row replaces an earlier one. */
export function given<Value>(rows: readonly Row<Value>[], context: NodeContext, component: string): Map<string, Value> {
  const found = new Map<string, Value>();
  const version = versionOf(component, context.manifest);
  for (const { name, value, ...versions } of rows) {
    if (!isWithin(versions, version)) continue;
    const own = typeof value === "function" ? (value as (context: NodeContext) => Value | null)(context) : value;
    if (own !== null) found.set(name, own);
  }
  return found;
}

/** Whether `version` is one of those that a row is for; what has no version is of none. */
export function isWithin({ since, until }: Pick<Row<unknown>, "since" | "until">, version: string | null): boolean {
  const isAtLeast = (first: string): boolean => version !== null && isSince(version, first);
  return (since === undefined || isAtLeast(since)) && (until === undefined || !isAtLeast(until));
}
