/** Entries of an .rpm: a lead, two headers, and a compressed cpio archive (newc). */
import { ExpectedError } from "#cli/errors";
import type { ByteReader } from "./byte-reader.ts";
import type { Entry } from "./entry.ts";

const leadMagic = 0xedabeedb;
const headerMagic = 0x8eade801;
const largestHeader = 64 * 1024 * 1024;
const longestName = 4096;

export function isRpm(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32BE() === leadMagic;
}

/** Passes over everything before the payload, which is then what the reader gives. */
export async function skipToPayload(reader: ByteReader): Promise<void> {
  const lead = await reader.exactly(96);
  if (lead.readUInt32BE() !== leadMagic) throw invalid("it has no lead");
  const signature = await skipHeader(reader);
  // Only the signature header is padded.
  await reader.skip((8 - (signature % 8)) % 8);
  await skipHeader(reader);
}

async function skipHeader(reader: ByteReader): Promise<number> {
  const start = await reader.exactly(16);
  if (start.readUInt32BE() !== headerMagic) throw invalid("a header has no magic number");
  const size = start.readUInt32BE(8) * 16 + start.readUInt32BE(12);
  if (size > largestHeader) throw new ExpectedError("ARCHIVE_BOMB", "a header is larger than 64 MiB");
  await reader.skip(size);
  return 16 + size;
}

export function isCpio(start: Buffer): boolean {
  return /^07070[127X]/.test(start.toString("latin1", 0, 6));
}

export async function* readCpio(reader: ByteReader): AsyncGenerator<Entry> {
  /** Names of hard links whose content comes with the last of them, by device and inode. */
  const waiting = new Map<string, string[]>();
  for (;;) {
    const header = (await reader.exactly(110)).toString("latin1");
    if (!/^07070[12][0-9a-f]{104}$/i.test(header)) throw invalid("a cpio header is not of the form newc");
    const field = (index: number): number => Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const mode = field(1);
    const size = field(6);
    const nameSize = field(11);
    if (nameSize < 2 || nameSize > longestName) throw invalid("a name is longer than 4 KiB");
    const name = (await reader.exactly(nameSize)).toString("utf8", 0, nameSize - 1);
    await reader.skip((4 - ((110 + nameSize) % 4)) % 4);
    if (name === "TRAILER!!!") {
      // Several names of one empty file: no content ever comes.
      for (const alias of [...waiting.values()].flat()) {
        yield { name: alias, kind: "file", size: 0, target: "", bytes: () => reader.stream(0) };
      }
      return;
    }
    const end = reader.position + size + ((4 - (size % 4)) % 4);
    const kind = kindOf(mode);
    const file = `${field(7)}:${field(8)}:${field(0)}`;
    if (kind === "file" && field(4) > 1 && size === 0) {
      waiting.set(file, [...(waiting.get(file) ?? []), name]);
      continue;
    }
    if (kind === "symlink" && size > longestName) throw invalid("a link's target is longer than 4 KiB");
    const target = kind === "symlink" ? (await reader.exactly(size)).toString("utf8") : "";
    yield { name, kind, size, target, bytes: () => reader.stream(size) };
    await reader.skip(end - reader.position);
    for (const alias of waiting.get(file) ?? []) {
      yield { name: alias, kind: "hardlink", size: 0, target: name, bytes: () => reader.stream(0) };
    }
    waiting.delete(file);
  }
}

function kindOf(mode: number): Entry["kind"] {
  const type = mode & 0o170000;
  if (type === 0o100000) return "file";
  if (type === 0o040000) return "directory";
  return type === 0o120000 ? "symlink" : "other";
}

function invalid(why: string): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", `this package is refused: ${why}`);
}
