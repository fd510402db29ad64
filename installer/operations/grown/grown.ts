/**
 * What grows by itself while daemons run: processes of pods, mounts, interfaces, rules, files. Apply only notes what of it is
 * there before; undo looks at what is there now and takes away what was not and is ours.
 */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import type { Kind } from "../operation.ts";

export interface Grown<Spec, State> {
  /** What it is about, as a unique name. */
  resource(spec: Spec): string;
  /** May only look. Of a host that does not run: what a boot could not have brought back. */
  inspect(host: HostReader, spec: Spec): Promise<State>;
  /** Pure. Takes back what is in `now`, was not in `before`, and is ours. Empty: nothing of that is left. */
  steps(spec: Spec, now: State, before: State): Effect[];
  /** What the kernel refuses to give back is harmless, and goes with the next boot. */
  readonly untilBoot?: true;
}

/** A kind that does nothing forward, and backward what `steps` says then. */
export function grownKind<Spec, State>(grown: Grown<Spec, State>): Kind<Spec, State> {
  return {
    resource: (spec) => grown.resource(spec),
    describe: (spec) => `${grown.resource(spec)}: what grew`,
    inspect: (host, spec) => grown.inspect(host, spec),
    forward: () => [],
    backward: () => [],
    resume: (before) => before,
    grown: {
      steps: (spec, now, before) => grown.steps(spec, now, before),
      untilBoot: grown.untilBoot ?? false,
    },
  };
}
