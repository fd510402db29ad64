/** Small 64-bit little-endian ELF files, as large as their headers need: what they run is not under test. */

export interface ElfParts {
  /** 62 amd64, 183 arm64. */
  readonly machine: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  /** `2.34`: of the symbols that it wants. */
  readonly glibc?: string;
}

const base = 0x400000;

export function elfFile({ machine, interpreter, needed = [], glibc }: ElfParts): Buffer {
  const dynamic = needed.length > 0;
  const count = 1 + (interpreter === undefined ? 0 : 1) + (dynamic ? 1 : 0);
  const interpreterAt = 64 + count * 56;
  const interpreterBytes = Buffer.from(interpreter === undefined ? "" : `${interpreter}\0`);
  const stringsAt = interpreterAt + interpreterBytes.length;
  const wanted = glibc === undefined ? [] : [`GLIBC_${glibc}`];
  const strings = Buffer.from(["", ...needed, ...wanted, ""].join("\0"));
  const versionsAt = stringsAt + strings.length;
  const versions = glibc === undefined ? Buffer.alloc(0) : versionNeed(strings.indexOf("GLIBC_"));
  const tagsAt = versionsAt + versions.length;
  const versionTags = [
    [0x6ffffffe, base + versionsAt],
    [0x6fffffff, 1],
  ];
  const offsets = needed.map((_, index) => 1 + needed.slice(0, index).reduce((sum, name) => sum + name.length + 1, 0));
  const tags = dynamic
    ? [
        ...offsets.map((at) => [1, at]),
        [5, base + stringsAt],
        [10, strings.length],
        ...(glibc === undefined ? [] : versionTags),
        [0, 0],
      ].map(([key = 0, value = 0]) => {
        const pair = Buffer.alloc(16);
        pair.writeBigUInt64LE(BigInt(key), 0);
        pair.writeBigUInt64LE(BigInt(value), 8);
        return pair;
      })
    : [];
  const total = tagsAt + tags.length * 16;

  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(count, 56);

  const segments = [segment(1, 0, total)];
  if (interpreter !== undefined) segments.push(segment(3, interpreterAt, interpreterBytes.length));
  if (dynamic) segments.push(segment(2, tagsAt, tags.length * 16));
  return Buffer.concat([header, ...segments, interpreterBytes, strings, versions, ...tags]);
}

/** One library of which one version is wanted, whose name is at `name` among the strings. */
function versionNeed(name: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(1, 2);
  bytes.writeUInt32LE(16, 8);
  bytes.writeUInt32LE(name, 24);
  return bytes;
}

function segment(type: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(56);
  bytes.writeUInt32LE(type, 0);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  bytes.writeBigUInt64LE(BigInt(base + offset), 16);
  bytes.writeBigUInt64LE(BigInt(size), 32);
  bytes.writeBigUInt64LE(BigInt(size), 40);
  return bytes;
}
