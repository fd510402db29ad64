/** xz as a stream, by xz-embedded compiled to WebAssembly: Node has none of its own, and a builder may have no `xz`. */
import xz from "xz-decompress";
import { ExpectedError, messageOf } from "#cli/errors";

/** Input for the decoder at a time: as much as its own buffer holds. */
const pieceSize = 64 * 1024;

/** What is compressed in `source`. When left early, nothing is being read from `source` any more. */
export async function* unxz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(source[Symbol.asyncIterator]());
  const output = new xz.XzReadableStream(input.stream).getReader();
  let open = true;
  try {
    for (;;) {
      const { done, value } = await output.read();
      if (done) break;
      if (value.length > 0) yield value;
    }
    open = false;
  } catch (cause) {
    open = false;
    if (input.failure !== null) throw input.failure.error;
    throw decoderError(cause, input.ended);
  } finally {
    input.stop();
    // Cancelling the package's stream frees what a pull under way still writes to; it ends well when its input fails.
    while (open) open = !(await output.read().catch(() => ({ done: true }))).done;
  }
  // The decoder takes all streams in a row; should it ever stop before the input's end, nothing is dropped unseen.
  if (await input.hasMore()) throw new ExpectedError("ARCHIVE_INVALID", "something follows the xz stream");
}

/** xz-embedded's numbers: 2 and 6 a check or filter that it does not have, 8 no more input. */
function decoderError(cause: unknown, ended: boolean): ExpectedError {
  const number = /error code (\d)/.exec(messageOf(cause))?.[1];
  if (number === "2" || number === "6") {
    return new ExpectedError("ARCHIVE_INVALID", "this xz stream has a check or filter that is not supported here", {
      expected: "LZMA2 with CRC32, CRC64 or no check, as xz and dpkg write by default",
      found: "another check or filter",
      cause,
    });
  }
  return ended || number === "8"
    ? new ExpectedError("TRUNCATED", "the xz stream ends too early", { cause })
    : new ExpectedError("ARCHIVE_INVALID", "the xz stream is broken", { cause });
}

/** An iterator as the web stream that the decoder takes. */
class Input {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #stopped = false;
  ended = false;
  failure: { readonly error: unknown } | null = null;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(iterator: AsyncIterator<Uint8Array>) {
    this.#iterator = iterator;
    this.stream = new ReadableStream(
      { pull: async (controller) => await this.#pull(controller) },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      if (this.#stopped) throw new Error("stopped");
      while (this.#chunk.length === 0 && !this.ended) {
        const next = await this.#iterator.next();
        if (next.done === true) this.ended = true;
        else this.#chunk = next.value;
      }
      if (this.#chunk.length === 0) return controller.close();
      controller.enqueue(this.#chunk.subarray(0, pieceSize));
      this.#chunk = this.#chunk.subarray(pieceSize);
    } catch (error) {
      this.failure = { error };
      controller.error(error);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Whether anything but padding is left. */
  async hasMore(): Promise<boolean> {
    if (this.#chunk.some((byte) => byte !== 0)) return true;
    for (let next = await this.#iterator.next(); next.done !== true; next = await this.#iterator.next()) {
      if (next.value.some((byte) => byte !== 0)) return true;
    }
    return false;
  }
}
