/**
 * Entries of a zip file. Its directory is at the end, so it is read from a file that is already there and verified.
 * What the directory and a member's own header say must agree, and the CRC and length must hold.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { ExpectedError } from "#cli/errors";
import { through } from "./decompress.ts";
import type { Entry } from "./entry.ts";

const largestDirectory = 64 * 1024 * 1024;
const longestTarget = 4096;

interface Member {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  readonly unixMode: number;
}

export function isZip(start: Buffer): boolean {
  const magic = start.toString("latin1", 0, 4);
  return magic === "PK\x03\x04" || magic === "PK\x05\x06";
}

export async function* readZip(path: string): AsyncGenerator<Entry> {
  const file = await open(path, "r");
  try {
    const members = await readDirectory(file);
    let from = 0;
    for (const member of members.toSorted((a, b) => a.offset - b.offset)) {
      if (member.offset < from)
        throw new ExpectedError("ARCHIVE_BOMB", `"${member.name.toString()}" overlaps another member`);
      const start = await dataStart(file, member);
      from = start + member.packed;
      yield await entry(path, member, start);
    }
  } finally {
    await file.close();
  }
}

async function entry(path: string, member: Member, start: number): Promise<Entry> {
  const name = member.name.toString("utf8");
  const bytes = (): AsyncIterable<Uint8Array> => contentOf(path, member, start);
  const type = member.unixMode & 0o170000;
  if (name.endsWith("/")) return { name, kind: "directory", size: 0, target: "", bytes };
  if (name.includes("\\"))
    throw new ExpectedError("PATH_ESCAPES", `"${name}" has a backslash, which some read as a folder`);
  if (type === 0o120000) {
    if (member.size > longestTarget) throw invalid("a link's target is longer than 4 KiB");
    const parts: Uint8Array[] = [];
    for await (const chunk of bytes()) parts.push(chunk);
    return { name, kind: "symlink", size: 0, target: Buffer.concat(parts).toString("utf8"), bytes };
  }
  return { name, kind: type === 0 || type === 0o100000 ? "file" : "other", size: member.size, target: "", bytes };
}

async function* contentOf(path: string, member: Member, start: number): AsyncGenerator<Uint8Array> {
  const name = member.name.toString();
  if ((member.flags & 1) !== 0) throw invalid(`"${name}" is encrypted`);
  if (member.method !== 0 && member.method !== 8) throw invalid(`"${name}" is compressed by method ${member.method}`);
  const packed: AsyncIterable<Uint8Array> =
    member.packed === 0 ? empty() : createReadStream(path, { start, end: start + member.packed - 1 });
  const plain = member.method === 8 ? through(packed, createInflateRaw({ chunkSize: 1024 * 1024 }), "zip") : packed;
  let crc = 0;
  let size = 0;
  for await (const chunk of plain) {
    size += chunk.length;
    if (size > member.size) throw new ExpectedError("ARCHIVE_BOMB", `"${name}" is larger than it says`);
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (size !== member.size) throw new ExpectedError("TRUNCATED", `"${name}" is shorter than it says`);
  if (crc !== member.crc) throw invalid(`the CRC of "${name}" is wrong`);
}

async function readDirectory(file: FileHandle): Promise<Member[]> {
  const { size: total } = await file.stat();
  const tail = await read(file, Math.max(0, total - 65_557 - 20), Math.min(total, 65_557 + 20));
  const at = tail.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (at < 0 || at + 22 > tail.length)
    throw new ExpectedError("TRUNCATED", "the zip's directory at its end is missing");
  const end = await directoryPlace(file, tail, at);
  if (end.size > largestDirectory) throw new ExpectedError("ARCHIVE_BOMB", "the zip's directory is larger than 64 MiB");
  if (end.offset + end.size > total) throw new ExpectedError("TRUNCATED", "the zip's directory is cut");
  const directory = await read(file, end.offset, end.size);
  const members: Member[] = [];
  for (let position = 0; position < directory.length;) {
    if (position + 46 > directory.length || directory.readUInt32LE(position) !== 0x02014b50) {
      throw invalid("its directory is broken");
    }
    const lengths = [28, 30, 32].map((offset) => directory.readUInt16LE(position + offset));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    members.push(memberAt(directory, position, nameLength, extraLength));
    position += 46 + nameLength + extraLength + commentLength;
  }
  if (members.length !== end.count) throw invalid("its directory does not have as many members as it says");
  return members;
}

async function directoryPlace(file: FileHandle, tail: Buffer, at: number) {
  const small = {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  if (small.count !== 0xffff && small.size !== 0xffffffff && small.offset !== 0xffffffff) return small;
  if (at < 20 || tail.readUInt32LE(at - 20) !== 0x07064b50) throw invalid("its directory has no place");
  const large = await read(file, Number(tail.readBigUInt64LE(at - 12)), 56);
  if (large.length < 56 || large.readUInt32LE(0) !== 0x06064b50) throw invalid("its directory has no place");
  return {
    count: Number(large.readBigUInt64LE(32)),
    size: Number(large.readBigUInt64LE(40)),
    offset: Number(large.readBigUInt64LE(48)),
  };
}

function memberAt(directory: Buffer, at: number, nameLength: number, extraLength: number): Member {
  const name = directory.subarray(at + 46, at + 46 + nameLength);
  const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
  // zip64: what does not fit into 32 bits stands in the extra field, in this order.
  const wide = wideFields(extra);
  const number = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    return value === 0xffffffff ? (wide.shift() ?? value) : value;
  };
  const size = number(24);
  const packed = number(20);
  const offset = number(42);
  const madeBy = directory.readUInt16LE(at + 4) >> 8;
  return {
    name,
    flags: directory.readUInt16LE(at + 8),
    method: directory.readUInt16LE(at + 10),
    crc: directory.readUInt32LE(at + 16),
    packed,
    size,
    offset,
    unixMode: madeBy === 3 ? directory.readUInt32LE(at + 38) >>> 16 : 0,
  };
}

function wideFields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1 && at + 4 + length <= extra.length) {
      return Array.from({ length: length >> 3 }, (_, index) => Number(extra.readBigUInt64LE(at + 4 + index * 8)));
    }
    at += 4 + length;
  }
  return [];
}

async function dataStart(file: FileHandle, member: Member): Promise<number> {
  const header = await read(file, member.offset, 30);
  if (header.length < 30) throw new ExpectedError("TRUNCATED", "a zip member is cut");
  if (header.readUInt32LE(0) !== 0x04034b50) throw invalid("a member is not where the directory says");
  const nameLength = header.readUInt16LE(26);
  const name = await read(file, member.offset + 30, nameLength);
  if (!name.equals(member.name) || header.readUInt16LE(8) !== member.method) {
    throw invalid(`its directory says "${member.name.toString()}" where the member says "${name.toString()}"`);
  }
  return member.offset + 30 + nameLength + header.readUInt16LE(28);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(length)) throw invalid("a place in it is out of range");
  const { size } = await file.stat();
  const present = Math.max(0, Math.min(length, size - position));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(present), 0, present, position);
  return buffer.subarray(0, bytesRead);
}

async function* empty(): AsyncGenerator<Uint8Array> {}

function invalid(why: string): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", `this zip is refused: ${why}`);
}
