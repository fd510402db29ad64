/** What a law counts while it runs: `npm run test:mutations` sums it up, and has calls measured, which no other run does. */
import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The figures of one law in one run. */
export interface Figures {
  readonly law: string;
  /** Different ones that are not the original. */
  readonly drawn: number;
  readonly accepted: number;
  /** By what was changed; one of two changes counts for both. */
  readonly kinds: Readonly<Record<string, { readonly drawn: number; readonly accepted: number }>>;
  /** Each of the call that had most of it: seconds by the clock, of the processor on all threads, MiB of the whole process. */
  readonly most: { readonly seconds: number; readonly processor: number; readonly memory: number };
}

const file = process.env["KUBEFERRY_FIGURES"];

/** So that a call is not measured with what the law itself has left in memory. Any other collection keeps the pages. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (how: object) => void;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}

export class Count {
  readonly #law: string;
  readonly #seen: Set<string>;
  readonly #kinds: Record<string, { drawn: number; accepted: number }> = {};
  readonly #most = { seconds: 0, processor: 0, memory: 0 };
  #drawn = 0;
  #accepted = 0;

  /** Of mutations of `originals`. */
  constructor(law: string, originals: readonly Buffer[] = []) {
    this.#law = law;
    this.#seen = new Set(originals.map(digest));
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** Whether these bytes are no original and were not counted before; counts them. */
  isNew(bytes: Buffer): boolean {
    const before = this.#seen.size;
    return this.#seen.add(digest(bytes)).size > before;
  }

  add(kinds: readonly string[], accepted: boolean): void {
    this.#drawn += 1;
    this.#accepted += accepted ? 1 : 0;
    for (const kind of new Set(kinds)) {
      const one = (this.#kinds[kind] ??= { drawn: 0, accepted: 0 });
      one.drawn += 1;
      one.accepted += accepted ? 1 : 0;
    }
  }

  /** What `call` gives; measured where figures are asked for. */
  async measured<Result>(call: () => Promise<Result>): Promise<Result> {
    if (file === undefined) return call();
    if (process.memoryUsage.rss() > 150 * 2 ** 20) collectGarbage();
    // Linux counts the highest memory from here on anew: proc_pid_clear_refs(5).
    writeFileSync("/proc/self/clear_refs", "5");
    const [start, before] = [performance.now(), process.cpuUsage()];
    try {
      return await call();
    } finally {
      const { user, system } = process.cpuUsage(before);
      const highest = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
      this.#most.seconds = Math.max(this.#most.seconds, (performance.now() - start) / 1e3);
      this.#most.processor = Math.max(this.#most.processor, (user + system) / 1e6);
      this.#most.memory = Math.max(this.#most.memory, Number(highest) / 1024);
    }
  }

  /** Prints the figures, and adds them as a line of JSON to the file KUBEFERRY_FIGURES. */
  end(): void {
    const figures: Figures = {
      law: this.#law,
      drawn: this.#drawn,
      accepted: this.#accepted,
      kinds: this.#kinds,
      most: this.#most,
    };
    console.log(`${figures.law}: ${figures.drawn}, of which ${figures.accepted} were accepted`);
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`);
  }
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}
