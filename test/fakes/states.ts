/** A resource by itself, as apply and undo use it. */
import assert from "node:assert/strict";
import type { Effect } from "../../installer/host/effect.ts";
import type { HostReader } from "../../installer/host/host.ts";
import { isUnknown, type Resource } from "../../installer/resources/resource.ts";

/** What is there; fails where it cannot be looked at. */
export async function seen<Id, State>(resource: Resource<Id, State>, host: HostReader, id: Id): Promise<State> {
  const state = await resource.inspect(host, id);
  assert.ok(!isUnknown(state), isUnknown(state) ? state.unknown : "");
  return state;
}

/** From `now` to what is wanted. */
export function bringing<Id, State>(resource: Resource<Id, State>, id: Id, now: State): Effect[] {
  return resource.steps(id, now, resource.spec(id, now));
}

/** From what is there to what was before. */
export async function takingBack<Id, State>(
  resource: Resource<Id, State>,
  host: HostReader,
  id: Id,
  before: State,
): Promise<Effect[]> {
  return resource.steps(id, await seen(resource, host, id), before);
}
