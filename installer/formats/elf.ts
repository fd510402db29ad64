/**
 * What an ELF file needs of its host, read from its headers alone: class, machine, interpreter, shared libraries and the
 * glibc whose symbols it asks for.
 */
import { closeSync, openSync, readSync } from "node:fs";

export interface Elf {
  readonly bits: 32 | 64;
  /** `amd64`, `arm64`, or `machine 8` for any other number of e_machine. */
  readonly machine: string;
  /** The dynamic loader, `/lib64/ld-linux-x86-64.so.2`; null: statically linked. */
  readonly interpreter: string | null;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
  /** The oldest glibc that has all symbols it is linked with, `2.34`; null: it asks for none. */
  readonly glibc: string | null;
  readonly soname: string | null;
  /** DT_RUNPATH and DT_RPATH, unexpanded. */
  readonly runpath: readonly string[];
}

const machines: Readonly<Record<number, string>> = { 62: "amd64", 183: "arm64" };
const segment = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tag = {
  ...{ end: 0, needed: 1, strings: 5, stringsSize: 10, soname: 14, rpath: 15, runpath: 29 },
  ...{ versions: 0x6ffffffe, versionsCount: 0x6fffffff },
} as const;
const known = new Set<number>(Object.values(tag));
const mostVersions = 4096;
const mostSegments = 512;
const mostTags = 4096;
const longestName = 4096;

/** Reads at `offset` up to `length` bytes; fewer at the end of the file. */
type Read = (offset: number, length: number) => Buffer;

/** The ELF at a path; null when it is none. `damaged` says why an ELF cannot be read. Never throws on hostile bytes. */
export function readElf(path: string): Elf | { readonly damaged: string } | null {
  return withReader(path, parseElf);
}

/**
 * Of a 64-bit ELF file, how many of its first bytes its segments and their table take. Behind them are the tables of sections,
 * symbols and debug information, which no loader reads. Throws where the headers are damaged.
 */
export function loadedSize(path: string): number {
  return withReader(path, (read) => {
    const header = exactly(read, 0, 64);
    const table = safe(header.readBigUInt64LE(32)) + header.readUInt16LE(54) * header.readUInt16LE(56);
    return Math.max(table, ...readSegments(header, read, true).map(({ offset, size }) => offset + size));
  });
}

function withReader<Result>(path: string, use: (read: Read) => Result): Result {
  const file = openSync(path, "r");
  try {
    return use((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    });
  } finally {
    closeSync(file);
  }
}

/** As {@link readElf}, on whatever `read` gives. */
export function parseElf(read: Read): Elf | { readonly damaged: string } | null {
  if (read(0, 4).toString("latin1") !== "\x7fELF") return null;
  try {
    return parse(read);
  } catch (error) {
    if (error instanceof Damaged || error instanceof RangeError) return { damaged: error.message };
    throw error;
  }
}

class Damaged extends Error {}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function parse(read: Read): Elf {
  const header = exactly(read, 0, 52);
  const wide = header[4] === 2;
  if (!wide && header[4] !== 1) throw new Damaged("its class is neither 32 nor 64 bits");
  if (header[5] !== 1) throw new Damaged("it is not little-endian");
  const number = numbers(wide);
  const bits = wide ? 64 : 32;
  const code = header.readUInt16LE(18);
  const machine = machines[code] ?? `machine ${code}`;
  const segments = readSegments(exactly(read, 0, wide ? 64 : 52), read, wide);
  const interpreter = segments.find(({ type }) => type === segment.interpreter);
  const dynamic = segments.find(({ type }) => type === segment.dynamic);
  const tags = dynamic === undefined ? [] : readTags(dynamic, read, number);
  const names = (wanted: number): string[] => {
    const found = tags.filter(([key]) => key === wanted);
    if (found.length === 0) return [];
    const strings = stringTable(tags, segments, read);
    return found.map(([, at]) => textAt(strings, at));
  };
  return {
    bits,
    machine,
    interpreter:
      interpreter === undefined ? null : textAt(exactly(read, interpreter.offset, limited(interpreter.size)), 0),
    needed: names(tag.needed),
    glibc: newestGlibc(tags, segments, read),
    soname: names(tag.soname)[0] ?? null,
    runpath: [...names(tag.runpath), ...names(tag.rpath)].flatMap((text) => text.split(":")),
  };
}

interface Numbers {
  readonly width: 4 | 8;
  at(bytes: Buffer, offset: number): number;
}

function numbers(wide: boolean): Numbers {
  return wide
    ? { width: 8, at: (bytes, offset) => safe(bytes.readBigUInt64LE(offset)) }
    : { width: 4, at: (bytes, offset) => bytes.readUInt32LE(offset) };
}

function readSegments(header: Buffer, read: Read, wide: boolean): Segment[] {
  const number = numbers(wide);
  const start = number.at(header, wide ? 32 : 28);
  const entry = header.readUInt16LE(wide ? 54 : 42);
  const count = header.readUInt16LE(wide ? 56 : 44);
  if (count > mostSegments) throw new Damaged("it has too many segments");
  if (count > 0 && entry < (wide ? 56 : 32)) throw new Damaged("its segment headers are too short");
  const table = exactly(read, start, count * entry);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entry;
    return {
      type: table.readUInt32LE(at),
      offset: number.at(table, at + (wide ? 8 : 4)),
      address: number.at(table, at + (wide ? 16 : 8)),
      size: number.at(table, at + (wide ? 32 : 16)),
    };
  });
}

function readTags(dynamic: Segment, read: Read, number: Numbers): [key: number, value: number][] {
  const pair = 2 * number.width;
  const count = Math.floor(dynamic.size / pair);
  if (count > mostTags) throw new Damaged("its dynamic section is too large");
  const bytes = exactly(read, dynamic.offset, count * pair);
  const tags: [number, number][] = [];
  for (let at = 0; at < bytes.length; at += pair) {
    const key = bytes.readUInt32LE(at);
    if (key === tag.end) break;
    if (known.has(key)) tags.push([key, number.at(bytes, at + number.width)]);
  }
  return tags;
}

/** Of the versions `GLIBC_2.34` that symbols are wanted in, from whatever library. */
function newestGlibc(tags: readonly [number, number][], segments: readonly Segment[], read: Read): string | null {
  const address = tags.find(([key]) => key === tag.versions)?.[1];
  const libraries = tags.find(([key]) => key === tag.versionsCount)?.[1] ?? 0;
  if (address === undefined) return null;
  if (libraries > mostVersions) throw new Damaged("it wants symbols of too many libraries");
  const strings = stringTable(tags, segments, read);
  let newest = 0;
  let left = mostVersions;
  let at = offsetOf(address, segments);
  for (let library = 0; library < libraries; library += 1) {
    const entry = exactly(read, at, 16);
    let version = at + entry.readUInt32LE(8);
    for (let count = entry.readUInt16LE(2); count > 0; count -= 1) {
      if ((left -= 1) < 0) throw new Damaged("it wants too many versions of symbols");
      const auxiliary = exactly(read, version, 16);
      const name = textAt(strings, auxiliary.readUInt32LE(8));
      newest = Math.max(newest, Number(/^GLIBC_2\.(\d{1,3})(\.|$)/.exec(name)?.[1] ?? 0));
      version += auxiliary.readUInt32LE(12);
    }
    at += entry.readUInt32LE(12);
  }
  return newest === 0 ? null : `2.${newest}`;
}

function stringTable(tags: readonly [number, number][], segments: readonly Segment[], read: Read): Buffer {
  const address = tags.find(([key]) => key === tag.strings)?.[1];
  const size = tags.find(([key]) => key === tag.stringsSize)?.[1];
  if (address === undefined || size === undefined) throw new Damaged("it has no table of names");
  if (size > 64 * 1024 * 1024) throw new Damaged("its table of names is too large");
  return exactly(read, offsetOf(address, segments), size);
}

/** Tables are named by their address in memory; the segment that is loaded there says where in the file they are. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const home = segments.find(
    (one) => one.type === segment.load && address >= one.address && address < one.address + one.size,
  );
  if (home === undefined) throw new Damaged("one of its tables lies in no segment");
  return home.offset + (address - home.address);
}

function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at >= bytes.length || end < 0) throw new Damaged("a name runs out of its table");
  return bytes.toString("utf8", at, end);
}

function exactly(read: Read, offset: number, length: number): Buffer {
  const bytes = read(offset, length);
  if (bytes.length < length) throw new Damaged("it ends too early");
  return bytes;
}

function limited(size: number): number {
  if (size > longestName) throw new Damaged("its interpreter's name is too long");
  return size;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Damaged("a number is out of range");
  return Number(value);
}
