/** Health checks in start order, each with the command to run next when it fails. */
import type { CheckEntry, Role } from "#bundle";
import { bin, journal } from "../components/check.ts";
import type { NodeContext } from "../components/context.ts";
import { rowsOf } from "./walk.ts";

/** A check of one node; the selector is put on when equal ones are gathered. */
export type NodeCheck = Omit<CheckEntry, "for"> & { readonly roles: readonly Role[] };

/** kubectl would leave a cache in its home folder, or where it is called without one. */
const nowhere = { HOME: "/proc" };

/** The checks of one node. */
export function checksOf(context: NodeContext): NodeCheck[] {
  const textOf = (field: string | ((context: NodeContext) => string)): string =>
    typeof field === "string" ? field : field(context);
  return rowsOf(context, ({ checks }) => checks)
    .map(({ component, row, roles }) => ({ component, row, roles, at: row.at ?? component.units?.[0]?.start ?? 0 }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ row: { name, unit, matches, timeoutSeconds = 30, ...row }, roles, component }) => {
      const argv = [...row.argv(context)];
      const awaits = row.awaits?.(context) ?? null;
      return {
        name,
        ...(unit === undefined ? {} : { unit }),
        argv,
        environment: row.environment?.(context) ?? (argv.includes(bin(context, "kubectl")) ? nowhere : {}),
        ...(matches === undefined ? {} : { matches: textOf(matches) }),
        timeoutSeconds,
        ...(awaits === null ? {} : { awaits }),
        severity: row.severity?.(context) ?? "error",
        hint: textOf(row.hint ?? journal(unit?.replace(".service", "") ?? component.name)),
        roles,
      };
    });
}
