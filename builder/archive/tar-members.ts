/** Where each member of a plain tar file lies, so that any one of them can be read without the others. */
import { type FileHandle, open } from "node:fs/promises";
import { ExpectedError } from "#cli/errors";
import { ByteReader, refusingCut } from "./byte-reader.ts";
import { defaultLimits, type Entry } from "./entry.ts";
import { cleanName } from "./member-name.ts";
import { readTar } from "./tar.ts";

export interface TarMember extends Pick<Entry, "kind" | "size" | "target"> {
  /** Where its content begins, in bytes. */
  readonly offset: number;
}

/** Members by name, without directories. ARCHIVE_INVALID, TRUNCATED, MEMBER_DUPLICATE, PATH_ESCAPES or ARCHIVE_BOMB. */
export async function readTarMembers(path: string): Promise<Map<string, TarMember>> {
  const members = new Map<string, TarMember>();
  const file = await open(path);
  const reader = new ByteReader(new Skimmed(file, (await file.stat()).size));
  try {
    await refusingCut(async () => {
      for await (const { name, kind, size, target } of readTar(reader)) {
        if (kind === "directory") continue;
        const clean = cleanName(name);
        if (members.has(clean)) throw new ExpectedError("MEMBER_DUPLICATE", `"${clean}" is in the archive twice`);
        if (members.size >= defaultLimits.members) throw new ExpectedError("ARCHIVE_BOMB", "it has too many members");
        members.set(clean, { kind, size, target, offset: reader.position });
      }
    });
    return members;
  } finally {
    await file.close();
  }
}

/** A file of which what is passed over is not read. */
class Skimmed implements AsyncIterator<Uint8Array> {
  readonly #file: FileHandle;
  readonly #size: number;
  #position = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(4096), 0, 4096, this.#position);
    this.#position += bytesRead;
    return bytesRead === 0 ? { done: true, value: undefined } : { value: buffer.subarray(0, bytesRead) };
  }

  /** Passes over so many bytes, or to the end; how many. */
  skip(length: number): number {
    const skipped = Math.min(length, this.#size - this.#position);
    this.#position += skipped;
    return skipped;
  }
}
