/**
 * Which programs run what their files said before a transaction, and are restarted because of it: files that change, and
 * the units that read them. Pure.
 */
import { resourceOf } from "../resources/catalogue.ts";
import { pathsOf } from "../resources/hooks.ts";
import { type Change, type Generation, isUnknown } from "../resources/resource.ts";

/** The change between two generations, where one of the `earlier` changes touches what it reads. */
export function marked(change: Change, earlier: readonly Change[]): Change {
  const { before, after } = change;
  const touched = touchedOf(change, earlier);
  if (isUnknown(before) || touched.length === 0) return change;
  const rereads = new Set(resourceOf(change).rereads?.(change.id));
  const how: Generation = touched.every((path) => rereads.has(path)) ? { rereads: true } : {};
  return {
    ...change,
    before: withGeneration(before, { generation: "former", ...how }),
    after: withGeneration(after, { generation: "latter", ...how }),
  };
}

/** Whether what it reads is written or removed by one of the changes. */
export function isTouched(change: Change, changes: readonly Change[]): boolean {
  return touchedOf(change, changes).length > 0;
}

function touchedOf({ resource, id }: Change, changes: readonly Change[]): string[] {
  const reads = new Set(resourceOf({ resource }).reads?.(id));
  return reads.size === 0 ? [] : changes.flatMap(pathsOf).filter((path) => reads.has(path));
}

/** A state that was seen later, with what only an earlier record knows. */
export function sameGeneration(state: unknown, recorded: unknown): unknown {
  const { generation, rereads } = (recorded ?? {}) as Generation;
  if (generation === undefined) return state;
  return withGeneration(state, { generation, ...(rereads === undefined ? {} : { rereads }) });
}

function withGeneration(state: unknown, generation: Generation): unknown {
  return { ...(state as object), ...generation };
}
