/** The list of components, as one node sees it. */
import type { Role } from "#bundle";
import type { Component, Scope } from "../components/component.ts";
import { has, type NodeContext } from "../components/context.ts";
import { components } from "../components/list.ts";
import { isWithin } from "../components/rows.ts";

/** A row that a node has. */
export interface Found<R> {
  readonly component: Component;
  readonly row: R;
  readonly roles: readonly Role[];
}

/** Of a part of every component the rows that a node has; `roles` for those that name none, in place of their component's. */
export function rowsOf<R extends Scope>(
  context: NodeContext,
  part: (component: Component) => readonly R[] | undefined,
  roles?: readonly Role[],
): Found<R>[] {
  return ofCluster(context)
    .flatMap((component) =>
      (part(component) ?? []).map((row) => ({ component, row, roles: row.roles ?? roles ?? component.roles })),
    )
    .filter(
      ({ row, roles }) =>
        roles.some((role) => has(context, role)) &&
        isWithin(row, context.topology.release.kubernetes) &&
        (row.when?.(context) ?? true),
    );
}

/** The components of a cluster. */
export function ofCluster(cluster: Pick<NodeContext, "topology">): Component[] {
  return components.filter(({ when }) => when?.(cluster) ?? true);
}
