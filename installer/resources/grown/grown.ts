/**
 * What grows by itself while daemons run: processes of pods, mounts, interfaces, rules, files. Apply only notes what of it is
 * there before; undo looks at what is there now and takes away what was not and is ours.
 */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { isSame, type Resource } from "../resource.ts";

export interface Grown<Id, State> {
  name(id: Id): string;
  /** May only look. Of a host that does not run: what a boot could not have brought back. */
  inspect(host: HostReader, id: Id): Promise<State>;
  /** Pure. Takes back what is in `now`, was not in `before`, and is ours. Empty: nothing of that is left. */
  steps(id: Id, now: State, before: State): Effect[];
  /** What the kernel refuses to give back is harmless, and goes with the next boot. */
  readonly untilBoot?: boolean;
}

/** Nothing is wanted of it but that it is noted. */
export function grown<Id, State>(one: Grown<Id, State>): Resource<Id, State> {
  return {
    name: (id) => one.name(id),
    describe: (id) => `${one.name(id)}: what grew`,
    inspect: (host, id) => one.inspect(host, id),
    spec: (_, now) => now,
    equal: isSame,
    steps: (id, now, before) => one.steps(id, now, before),
    retires: () => null,
    grown: { untilBoot: one.untilBoot ?? false },
  };
}
