/** Reads a stream of chunks by lengths, as archive formats want it. A chunk is lent: what is held longer is a copy. */
import { ExpectedError } from "#cli/errors";

/** The stream ended before what was asked for. */
export class EndOfStream extends Error {
  override readonly name = "EndOfStream";
}

/** What `work` gives; TRUNCATED where it finds the stream's end too early. */
export async function refusingCut<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof EndOfStream)) throw cause;
    throw new ExpectedError("TRUNCATED", `the archive ends too early: ${cause.message}`, { cause });
  }
}

/** A stream, or a file that can leave out bytes at the end of what was read: `skip` gives how many there were. */
type Bytes = AsyncIterable<Uint8Array> & { skip?(length: number): number };

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #bytes: Bytes;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes read or skipped so far. */
  position = 0;

  constructor(source: Bytes) {
    this.#bytes = source;
    this.#source = source[Symbol.asyncIterator]();
  }

  /** False at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#chunk = next.value;
    }
    return true;
  }

  #take(most: number): Uint8Array {
    const taken = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.position += taken.length;
    return taken;
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  /** Exactly `length` bytes, held in memory; EndOfStream when there are fewer. */
  async exactly(length: number): Promise<Buffer> {
    const found = await this.upTo(length);
    if (found.length < length) throw new EndOfStream(`wanted ${length} bytes, found ${found.length}`);
    return found;
  }

  /** `length` bytes, or fewer at the end of the stream. */
  async upTo(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0 && (await this.#fill())) {
      const part = Buffer.from(this.#take(missing));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** The first `length` bytes (fewer at the end), which stay to be read. */
  async peek(length: number): Promise<Buffer> {
    const found = await this.upTo(length);
    this.position -= found.length;
    this.#chunk = Buffer.concat([found, this.#chunk]);
    return found;
  }

  /** The next `length` bytes as a stream (to the end without `length`). Must be read out before anything else is read. */
  async *stream(length = Infinity): AsyncGenerator<Uint8Array> {
    let missing = length;
    while (missing > 0) {
      if (!(await this.#fill())) {
        if (length === Infinity) return;
        throw new EndOfStream(`${missing} of ${length} bytes are missing`);
      }
      const part = this.#take(missing);
      missing -= part.length;
      yield part;
    }
  }

  async skip(length: number): Promise<void> {
    let missing = length;
    while (missing > 0) {
      const skipped = this.#chunk.length === 0 ? (this.#bytes.skip?.(missing) ?? 0) : 0;
      this.position += skipped;
      missing -= skipped;
      if (missing > 0 && !(await this.#fill())) throw new EndOfStream(`${missing} of ${length} bytes are missing`);
      missing -= this.#take(missing).length;
    }
  }

  /** Leaves the source; what it holds open is closed. */
  async close(): Promise<void> {
    this.#chunk = new Uint8Array(0);
    await this.#source.return?.();
  }
}
