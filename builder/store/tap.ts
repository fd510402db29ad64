/** A stream that is hashed and counted as it passes, and that can be read to its end after its reader left early. */
import { createHash, type Hash } from "node:crypto";

type Algorithm = "sha256" | "sha512";

export class Tap implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #hash: Hash;
  readonly #algorithm: Algorithm;
  readonly #onBytes: (bytes: number) => void;
  bytes = 0;
  /** What the source threw, so that it can be told from what a reader made of it. */
  failure: { readonly error: unknown } | null = null;

  constructor(
    source: AsyncIterable<Uint8Array>,
    algorithm: Algorithm,
    onBytes: (bytes: number) => void = () => undefined,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#onBytes = onBytes;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // No `return`: a reader that leaves early does not close the source.
    return { next: async () => await this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.failure !== null) throw this.failure.error;
    try {
      const next = await this.#source.next();
      if (next.done !== true) {
        this.#hash.update(next.value);
        this.bytes += next.value.length;
        this.#onBytes(this.bytes);
      }
      return next;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  /** Reads to the end and gives the digest of everything, `sha256:<hex>`. */
  async drain(): Promise<string> {
    while ((await this.#next()).done !== true);
    return `${this.#algorithm}:${this.#hash.digest("hex")}`;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** `sha256:…` → `sha256` */
export function algorithmOf(digest: string): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}
