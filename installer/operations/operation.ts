/** A change to a host as data, and the contract that every kind of change fulfils. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";

export interface Kind<Spec, Before> {
  /** What it changes, as a unique name: no plan holds two operations on one resource. */
  resource(spec: Spec): string;
  /** One line for people. */
  describe(spec: Spec): string;
  /** What is there now. May only look. */
  inspect(host: HostReader, spec: Spec): Promise<Before>;
  /** Pure. Empty: already satisfied, and then never journalled. */
  forward(spec: Spec, before: Before): Effect[];
  /** Pure. Restores `before` from any interrupted state. */
  backward(spec: Spec, before: Before): Effect[];
  /**
   * Pure. For going on after a crash: from what `forward` starts. Default: from `before` where this change had begun
   * (it may be half done), from `now` where it had not.
   */
  resume?(before: Before, now: Before, begun: boolean): Before;
  /** Pure. What undo does once everything else of the transaction is back: reload, start what ran before. */
  settle?(spec: Spec, before: Before): Effect[];
  /**
   * Pure. Why `before` says nothing: what it is about could not be looked at (a cluster whose daemons do not run yet).
   * It is looked at again when its turn comes, and left for another run where that says nothing either. Null: it was seen.
   */
  unseen?(before: Before): string | null;
  /** Files that somebody changed since we wrote them: undo sets them aside instead of losing them. */
  edited?(host: HostReader, spec: Spec, before: Before): Promise<string[]>;
  /** Why it cannot be taken back; it then needs its own flag. */
  irreversible?(spec: Spec, before: Before): string | null;
  /**
   * For what grows by itself while daemons run. It is noted once, at the first installation, although nothing is done; undo
   * performs `steps` in place of `backward`, and looks again until they are empty.
   */
  readonly grown?: {
    /** Pure. */
    steps(spec: Spec, now: Before, before: Before): Effect[];
    /** What is left of it in the end is no problem: the next boot takes it. */
    readonly untilBoot: boolean;
  };
}

/** `kind` is a key of the catalogue, `spec` that kind's own; both are plain JSON. */
export interface Operation {
  readonly kind: string;
  readonly spec: unknown;
}

/** An operation and what was there before it. */
export interface Change extends Operation {
  readonly before: unknown;
}

export interface Phase {
  /** `prepare`, `place`, `start etcd` … */
  readonly name: string;
  readonly operations: readonly Operation[];
  /** Names of the health checks that must pass before the next phase. */
  readonly gates: readonly string[];
}

export interface Plan {
  readonly phases: readonly Phase[];
}
