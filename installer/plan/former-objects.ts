/** What a manifest brought once and its newer content no longer has. The manifest stays, so each object goes by itself. Pure. */
import { onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { goal, goalsIn, idsOf, nameOf as nameOfGoal } from "../resources/catalogue.ts";
import { holdsOthers, type Identity, keyOf, nameOf } from "../resources/manifest.ts";
import { type FormerState, spec as ours } from "../resources/object-former.ts";
import type { ManifestId } from "../resources/object-id.ts";
import { identityOf, listOf, liveIn } from "../resources/object-live.ts";
import type { ObjectState } from "../resources/object.ts";
import { type Change, type Goal, isUnknown, type Still } from "../resources/resource.ts";

interface Brought {
  readonly identity: Identity;
  /** Before the first manifest of ours had it. */
  readonly before: FormerState;
}

/** Those that `past` brought on this host and no manifest has any more, the last of each manifest first. */
export function formerObjects(past: readonly Transaction[], { goals, objects }: Still): Goal[] {
  // Of a manifest whose objects could not be told, none is known to be gone.
  const told = new Set(objects.values());
  return manifestsIn(goals).flatMap((id) => {
    if (!told.has(id.path)) return [];
    const { client, environment, scratch } = id;
    const brought = [...broughtBy(id, past)].filter(([key]) => !objects.has(key)).toReversed();
    // What was there before is given back its content, whatever its kind.
    const going = brought.filter(([, { identity, before }]) => before !== null || !holdsOthers(identity));
    return going.map(([, { identity, before }]): Goal => {
      const former = { via: "former", name: nameOf(identity), identity, client, environment, scratch } as const;
      const to: ObjectState = { via: "former", is: before };
      return { ...goal("object", former), back: { to } };
    });
  });
}

function broughtBy(id: ManifestId, past: readonly Transaction[]): Map<string, Brought> {
  const name = nameOfGoal(goal("object", id));
  const brought = new Map<string, Brought>();
  for (const transaction of onHost(past)) {
    const isBack = goalsIn(transaction).some((one) => one.back !== undefined && nameOfGoal(one) === name);
    if (isBack) brought.clear();
    const changes = transaction.changes.filter(({ change }) => !isBack && nameOfGoal(change) === name);
    for (const one of changes.flatMap(({ change }) => objectsOf(change)))
      if (!brought.has(keyOf(one.identity))) brought.set(keyOf(one.identity), one);
  }
  return brought;
}

/** All objects of the content that was applied: those that were not there before, and those that were. */
function objectsOf({ before }: Change): Brought[] {
  if (isUnknown(before)) return [];
  // It was made by the resource whose change it is.
  const state = before as ObjectState;
  if (state.via !== "kubectl") return [];
  const { missing, earlier, noted } = state.is;
  const notes = new Map(liveIn(noted?.text ?? "").map((note) => [keyOf(identityOf(note)), note]));
  const found = liveIn(earlier?.text ?? "").map((live): Brought => {
    const identity = identityOf(live);
    const note = notes.get(keyOf(identity));
    const was = { text: listOf([live]), noted: note === undefined ? null : { text: listOf([note]) } };
    // With our mark it is of an older manifest, which another master may have applied.
    return { identity, before: ours(was) === null ? was : null };
  });
  return [...missing.map((identity): Brought => ({ identity, before: null })), ...found];
}

function manifestsIn(goals: readonly Goal[]): ManifestId[] {
  return idsOf("object", goals).filter((id): id is ManifestId => id.via === "kubectl");
}
