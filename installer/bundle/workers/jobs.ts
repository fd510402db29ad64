/** What threads can be given to do. Jobs and their results are plain data, since they pass from thread to thread. */
import { checkMember } from "../check-member.ts";
import { makeFrame } from "../frame-writer.ts";
import { type Digest, digestFile } from "../digest.ts";
import { takeFrame } from "../file-chunks.ts";

/** Called between two reads of a job that may take long; throws {@link Halted} once the work has failed elsewhere. */
export type Halt = () => void;

/** Why a thread gave up its job: another one failed, or somebody asked to stop. */
export class Halted extends Error {}

export const jobs = {
  /** One member's digest and length; gives its problems. */
  check: checkMember,
  /** A whole file's digest. */
  digest: ({ path }: { readonly path: string; readonly size: number }, halt: Halt): Digest =>
    digestFile(path, 0, Infinity, halt).digest,
  /** One frame's contents, into files or only checked. */
  frame: takeFrame,
  /** One frame made of contents. */
  make: makeFrame,
};

export type Kind = keyof typeof jobs;
export type Job<K extends Kind> = Parameters<(typeof jobs)[K]>[0];
export type Result<K extends Kind> = Awaited<ReturnType<(typeof jobs)[K]>>;

/** What every thread of a pool is given. */
export interface Work<K extends Kind = Kind> {
  readonly kind: K;
  readonly jobs: readonly Job<K>[];
  /** Indexes of `jobs`, the largest first. */
  readonly order: readonly number[];
  /** Shared memory: the next position of `order`, and 1 when all shall stop. */
  readonly shared: Int32Array;
}

/** Takes one job after the other until none is left. */
export async function takeJobs<K extends Kind>(
  { kind, jobs: given, order, shared }: Work<K>,
  tell: (index: number, result: Result<K>) => void,
): Promise<void> {
  const perform = jobs[kind] as (job: Job<K>, halt: Halt) => Result<K> | Promise<Result<K>>;
  const halt = (): void => {
    if (Atomics.load(shared, 1) !== 0) throw new Halted("the work was stopped");
  };
  for (;;) {
    const index = order[Atomics.add(shared, 0, 1)];
    if (index === undefined) return;
    halt();
    tell(index, await perform(given[index] as Job<K>, halt));
    // A job may be one synchronous loop: a turn of the event loop lets signals and other threads' results through.
    await new Promise(setImmediate);
  }
}
