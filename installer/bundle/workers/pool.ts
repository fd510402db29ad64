/**
 * All cores at one piece of work: this thread and a worker thread for every further core take the largest job that is
 * left, by a counter in shared memory. Threads live as long as the work: one costs some 30 ms and 12 MB.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { Halted, type Job, type Kind, type Result, takeJobs, type Work } from "./jobs.ts";
import { unpackThrown } from "./thrown.ts";
import type { Said } from "./worker.ts";

/** The worker's program, where scripts/compile.ts has put it in; sources run worker.ts itself. */
declare const KUBEFERRY_WORKER: string | undefined;

export interface PoolOptions<K extends Kind> {
  /** Bytes that a job reads: how long it takes. */
  readonly weight: (job: Job<K>) => number;
  /** Threads at most, where each needs much memory. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
  readonly done?: (job: Job<K>) => void;
}

/** Less is done before a further thread has started. */
const worthwhile = 16 * 1024 * 1024;

/**
 * The results of all jobs, in their order. When one throws, or a thread dies, or `signal` is aborted, the others leave their
 * jobs at the next read and the first reason is thrown: once all have ended, so that nothing is written any more.
 */
export async function inPool<K extends Kind>(
  kind: K,
  jobs: readonly Job<K>[],
  { weight, most = Infinity, signal, done }: PoolOptions<K>,
): Promise<Result<K>[]> {
  const weights = jobs.map(weight);
  const order = [...jobs.keys()].toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const total = weights.reduce((sum, bytes) => sum + bytes, 0);
  const threads = total < worthwhile ? 1 : Math.min(availableParallelism(), most, jobs.length);
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const work: Work<K> = { kind, jobs, order, shared };
  const results: Result<K>[] = [];
  const reasons: unknown[] = [];
  const stop = (reason: unknown): void => {
    reasons.push(reason);
    Atomics.store(shared, 1, 1);
  };
  const take = (index: number, result: Result<K>): void => {
    results[index] = result;
    done?.(jobs[index] as Job<K>);
  };
  const abort = (): void => stop(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort);
  try {
    const others = Array.from({ length: threads - 1 }, () => runWorker(work, take).catch(stop));
    await Promise.all([...others, takeJobs(work, take).catch(stop)]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  if (reasons.length > 0) throw reasons.find((reason) => !(reason instanceof Halted)) ?? reasons[0];
  return results;
}

/** Ends when the thread has ended, well or not. */
function runWorker<K extends Kind>(work: Work<K>, take: (index: number, result: Result<K>) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: Said["kind"] = "result";
    let reason: Error | undefined;
    const worker = startWorker(work);
    worker.on("message", (said: Said) => {
      last = said.kind;
      if (said.kind === "result") take(said.index, said.result as Result<K>);
      if (said.kind === "thrown") reason = unpackThrown(said.thrown);
    });
    worker.on("error", (error) => (reason = error as Error));
    worker.on("exit", (code) => {
      if (last === "ended") return resolve();
      reject(reason ?? new Error(`a worker thread ended with ${code}, and its work is not done`));
    });
  });
}

function startWorker(workerData: Work): Worker {
  const options = { workerData, resourceLimits: { maxYoungGenerationSizeMb: 4 } };
  if (typeof KUBEFERRY_WORKER === "string") return new Worker(KUBEFERRY_WORKER, { ...options, eval: true });
  return new Worker(join(import.meta.dirname, "worker.ts"), options);
}
