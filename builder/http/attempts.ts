/** How often, and how long after another, one thing is asked for by HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpClient } from "./client.ts";
import { backoffMs, failureOf } from "./failure.ts";

export interface AttemptsOptions {
  readonly http: HttpClient;
  /** Give up at the first stall: there is another place to try. */
  readonly impatient?: boolean;
  readonly onRetry?: (why: string, waitMs: number) => void;
  /** As in {@link failureOf}. */
  readonly elsewhere?: string | null;
}

export class Attempts {
  readonly #url: string;
  readonly #options: AttemptsOptions;
  #made = 0;

  constructor(url: string, options: AttemptsOptions) {
    this.#url = url;
    this.#options = options;
  }

  /**
   * Waits for the next attempt, or throws what the operator is told. An attempt that brought something (`progress`) is
   * not counted.
   */
  async failed(cause: unknown, progress = false): Promise<void> {
    const { http, impatient, onRetry, elsewhere } = this.#options;
    const { settings, signal } = http;
    signal?.throwIfAborted();
    const failure = failureOf(cause, this.#url, elsewhere);
    if (failure === null) throw cause;
    const { error, mayPass, retryAfter } = failure;
    this.#made = progress ? 1 : this.#made + 1;
    const left = error.code === "STALLED" && impatient === true;
    if (!mayPass || left || this.#made >= (settings.attempts ?? 4)) throw error;
    const wait = backoffMs(this.#made, settings.backoffMs ?? 500, retryAfter, Math.random());
    onRetry?.(error.message, wait);
    await sleep(wait, undefined, { signal });
  }
}
