/** A journal in memory that a power cut can tear in the middle of a record. */
import { decodeRecords, encodeRecord, type Journal, type JournalRecord } from "../../installer/journal/journal.ts";
import { Crash, type FakeHost } from "./fake-host.ts";

export class MemoryJournal implements Journal {
  text = "";
  /** The append, counted from 0, that is cut off, and how much of its bytes still reach the disk (0 to 1). */
  tear: { readonly append: number; readonly part: number } | null = null;
  readonly #host: FakeHost;
  #appends = 0;

  constructor(host: FakeHost) {
    this.#host = host;
  }

  read(): JournalRecord[] {
    return decodeRecords(this.text);
  }

  append(...records: readonly JournalRecord[]): void {
    if (this.#host.off) throw new Crash();
    const bytes = records.map((record) => encodeRecord(record)).join("");
    const torn = this.tear?.append === this.#appends;
    this.#appends += 1;
    if (!torn) {
      this.text += bytes;
      return;
    }
    this.text += bytes.slice(0, Math.floor(bytes.length * (this.tear?.part ?? 0)));
    this.#host.off = true;
    throw new Crash();
  }
}
