/** Health checks in start order, each with the command to run next when it fails. */
import type { CheckEntry, Role } from "#bundle";
import { clusterRows } from "./checks/cluster.ts";
import { etcdRows } from "./checks/etcd.ts";
import { masterRows } from "./checks/masters.ts";
import { bin } from "./checks/row.ts";
import { workerRows } from "./checks/workers.ts";
import { has, type NodeContext } from "./context.ts";

/** A check of one node; the selector is put on when equal ones are gathered. */
export type NodeCheck = Omit<CheckEntry, "for"> & { readonly roles: readonly Role[] };

const rows = [...etcdRows, ...masterRows, ...workerRows, ...clusterRows];

/** kubectl would leave a cache in its home folder, or where it is called without one. */
const nowhere = { HOME: "/proc" };

/** The checks of one node. */
export function checksOf(context: NodeContext): NodeCheck[] {
  const textOf = (field: string | ((context: NodeContext) => string)): string =>
    typeof field === "string" ? field : field(context);
  return rows
    .filter((row) => row.roles.some((role) => has(context, role)) && (row.when?.(context) ?? true))
    .map((row) => ({ ...row, argv: [...row.argv(context)], awaits: row.awaits?.(context) ?? null }))
    .map(({ name, unit, roles, matches, timeoutSeconds, argv, awaits, ...row }) => ({
      name,
      ...(unit === undefined ? {} : { unit }),
      argv,
      environment: row.environment?.(context) ?? (argv.includes(bin(context, "kubectl")) ? nowhere : {}),
      ...(matches === undefined ? {} : { matches: textOf(matches) }),
      timeoutSeconds,
      ...(awaits === null ? {} : { awaits }),
      severity: row.severity?.(context) ?? "error",
      hint: textOf(row.hint),
      roles,
    }));
}
