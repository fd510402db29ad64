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
  if (isUnknown(before) || !isTouched(change, earlier)) return change;
  return { ...change, before: withGeneration(before, "former"), after: withGeneration(after, "latter") };
}

/** Whether what it reads is written or removed by one of the changes. */
export function isTouched({ resource, id }: Change, changes: readonly Change[]): boolean {
  const reads = new Set(resourceOf({ resource }).reads?.(id));
  return reads.size > 0 && changes.flatMap(pathsOf).some((path) => reads.has(path));
}

/** A state that was seen later, with what only an earlier record knows. */
export function sameGeneration(state: unknown, recorded: unknown): unknown {
  const { generation } = (recorded ?? {}) as Generation;
  return generation === undefined ? state : withGeneration(state, generation);
}

function withGeneration(state: unknown, generation: NonNullable<Generation["generation"]>): unknown {
  return { ...(state as object), generation };
}
