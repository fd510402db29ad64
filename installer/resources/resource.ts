/** A thing of a host that goes from one state to another, and the contract that every kind of thing fulfils. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";

/** What could not be looked at yet, and why: a cluster whose daemons do not run, a kernel that is not this tree's. */
export interface Unknown {
  readonly unknown: string;
  /** What was started on this host brings it about by itself, in a moment: worth waiting for. */
  readonly soon?: true;
}

/** States are plain JSON: they are journalled. */
export interface Resource<Id, State> {
  /** Unique: no plan holds one resource twice. */
  name(id: Id): string;
  /** What it is to be, in one line for people. */
  describe(id: Id): string;
  /** What is there now. May only look. */
  inspect(host: HostReader, id: Id): Promise<State | Unknown>;
  /** Pure. What a host that has `now` is to be; `now` itself where that is left alone. */
  spec(id: Id, now: State): State;
  /** Pure. Whether nothing needs to be done between the two. */
  equal(a: State, b: State): boolean;
  /** Pure. From any state between, an interrupted one included, to one that was wanted or was there before. */
  steps(id: Id, from: State, to: State): Effect[];
  /**
   * Files whose change it has to hear of: it runs what they said. Its states then bear a {@link Generation}, since what a
   * program was started with cannot be seen.
   */
  reads?(id: Id): readonly string[];
  /** Those of them that it can read anew while it runs. */
  rereads?(id: Id): readonly string[];
  /** When it is given back once a newer bundle no longer has it; null: not before undo. Default: `give back`. */
  retires?(id: Id, before: State): RetirePhase | null;
  /** Pure. The state that it is given back to, where others still want some of it; undefined: nothing of it goes. */
  givesBack?(id: Id, before: State, still: Still): State | undefined;
  /**
   * For what grows by itself while daemons run. It is noted once, at the first installation, although nothing is done; undo
   * looks again until its steps are empty. `untilBoot`: what is left in the end is no problem, the next boot takes it.
   */
  readonly grown?: { readonly untilBoot: boolean };
  /** A program of ours must run for it: with --no-start it is neither brought nor given back. */
  readonly ofDaemon?: true;
  /** Still not to be seen when its turn comes: left for another run. Default: that is a failure. */
  readonly mayWait?: true;
  /** Pure. Whether undo leaves it, since other nodes go on with it. Default: it is this host's own. */
  isShared?(id: Id, others: OtherNodes): boolean;
  /** Pure. Why going from one to the other cannot be taken back; it then needs its own flag. */
  irreversible?(id: Id, before: State, after: State): string | null;
}

/** Names of the cluster's other nodes of a role. */
export interface OtherNodes {
  readonly etcd: readonly string[];
  readonly master: readonly string[];
}

/** What a newer bundle, and roles that stay, want. */
export interface Still {
  readonly goals: readonly Goal[];
  /** Objects of the newer bundle's manifests, for whatever node: the key of each, and the path of the manifest that has it. */
  readonly objects: ReadonlyMap<string, string>;
}

/** In this order around what a newer bundle brings: `stop` comes before it, the others after it. */
export const retirePhases = ["stop", "give back", "remove", "restart", "clear"] as const;
export type RetirePhase = (typeof retirePhases)[number];

/** Of what runs, whether that was started with the files as they were before a transaction or with those after it. */
export interface Generation {
  readonly generation?: "former" | "latter";
  /** Between the two it only has to read files anew. */
  readonly rereads?: true;
}

/** One thing that is wanted. `resource` is a key of the catalogue, `id` that resource's own; both are plain JSON. */
export interface Goal {
  readonly resource: string;
  readonly id: unknown;
  /** No longer wanted: the state that the host had before it was. `always`: be it changed since; it is kept for rollback. */
  readonly back?: { readonly to: unknown; readonly always?: true };
}

/** What a transaction does to one thing. An {@link Unknown} `before` is looked at again when its turn comes. */
export interface Change {
  readonly resource: string;
  readonly id: unknown;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Phase {
  /** `prepare`, `place`, `start etcd` … */
  readonly name: string;
  readonly goals: readonly Goal[];
  /** Names of the health checks that must pass before the next phase. */
  readonly gates: readonly string[];
  /** What is done around its changes, and never taken back. */
  readonly hooks?: readonly Hook[];
}

export type Hook =
  /** Before its changes: a copy of etcd's data. See hooks.ts. */
  | {
      readonly hook: "snapshot";
      /** The unit whose data it is. One that does not run has nobody to ask. */
      readonly unit: string;
      /** The file to write; its folder is private and ours. */
      readonly path: string;
      /** `etcdctl` with endpoint and certificates, without the command. */
      readonly client: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  /** Before its changes, units that a phase before has stopped. `noBlock`: for those that wait for other hosts. */
  | { readonly hook: "start"; readonly units: readonly string[]; readonly noBlock: boolean }
  /** Before its changes: etcd once with other words than its unit's, since data that are there outlive them. See etcd-start.ts. */
  | { readonly hook: "etcd"; readonly as: EtcdStart; readonly client: EtcdWords }
  /** After its changes: SELinux contexts as the host's own policy wants them. */
  | { readonly hook: "relabel"; readonly paths: readonly string[] };

/** etcd's own words: a member of a cluster that runs, or the only member of one that is made of its data. */
export type EtcdStart = "existing" | "force-new-cluster";

/** `etcdctl` with endpoint and certificates, without the command. */
export interface EtcdWords {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly phases: readonly Phase[];
}

export function isUnknown(state: unknown): state is Unknown {
  return typeof state === "object" && state !== null && "unknown" in state;
}

/** As JSON has it. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
