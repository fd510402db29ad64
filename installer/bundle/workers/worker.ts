/** The program of a worker thread: takes jobs of its pool until none is left. Started only by pool.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { takeJobs, type Work } from "./jobs.ts";
import { packThrown, type Thrown } from "./thrown.ts";

/** What a worker says. One that ends without `ended` or `thrown` has died. */
export type Said =
  | { readonly kind: "result"; readonly index: number; readonly result: unknown }
  | { readonly kind: "thrown"; readonly thrown: Thrown }
  | { readonly kind: "ended" };

const say = (said: Said): void => parentPort?.postMessage(said);

void (async () => {
  try {
    await takeJobs(workerData as Work, (index, result) => say({ kind: "result", index, result }));
    say({ kind: "ended" });
  } catch (error) {
    say({ kind: "thrown", thrown: packThrown(error) });
  }
})();
