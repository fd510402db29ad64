/** ar (.deb), cpio and .rpm, and zip, as an attacker would write them. */
import { crc32, deflateRawSync } from "node:zlib";

export interface Part {
  readonly name: string;
  readonly content: Buffer;
  /** What the header says instead of the content's length. */
  readonly size?: number;
}

export function ar(parts: readonly Part[]): Buffer {
  const members = parts.map(({ name, content, size }) => {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(size ?? content.length).padEnd(10)}\`\n`;
    return Buffer.concat([Buffer.from(header), content, Buffer.alloc(content.length % 2, "\n")]);
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...members]);
}

export function deb(data: Buffer, name = "data.tar"): Buffer {
  return ar([
    { name: "debian-binary", content: Buffer.from("2.0\n") },
    { name: "control.tar", content: Buffer.alloc(1024) },
    { name, content: data },
  ]);
}

export interface CpioEntry {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  readonly links?: number;
  readonly inode?: number;
}

export function cpio(entries: readonly CpioEntry[]): Buffer {
  const all = [...entries, { name: "TRAILER!!!", mode: 0 }];
  return Buffer.concat(
    all.map(({ name, content = "", mode = 0o100755, links = 1, inode = 1 }: CpioEntry) => {
      const bytes = Buffer.from(content);
      const fields = [inode, mode, 0, 0, links, 0, bytes.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
      const header = `070701${fields.map((value) => value.toString(16).padStart(8, "0")).join("")}${name}\0`;
      const pad = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
      return Buffer.concat([Buffer.from(header), pad(Buffer.byteLength(header)), bytes, pad(bytes.length)]);
    }),
  );
}

export function rpm(payload: Buffer): Buffer {
  const lead = Buffer.alloc(96);
  lead.writeUInt32BE(0xedabeedb);
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x8eade801);
  return Buffer.concat([lead, header, header, payload]);
}

export interface ZipEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
  /** The directory's name for it, where that differs. */
  readonly directoryName?: string;
  /** The directory's size for it, where that is a lie. */
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly offset?: number;
}

export function zip(entries: readonly ZipEntry[], count = entries.length): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    const packed = deflateRawSync(content);
    const crc = entry.crc ?? crc32(content);
    const size = entry.size ?? content.length;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(entry.flags ?? 0, 6);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(Buffer.byteLength(entry.name), 26);
    const listed = entry.directoryName ?? entry.name;
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50);
    central.writeUInt16LE(0x0300, 4);
    central.writeUInt16LE(entry.flags ?? 0, 8);
    central.writeUInt16LE(8, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(Buffer.byteLength(listed), 28);
    central.writeUInt32LE(((entry.mode ?? 0o100755) << 16) >>> 0, 38);
    central.writeUInt32LE(entry.offset ?? position, 42);
    directory.push(central, Buffer.from(listed));
    locals.push(local, Buffer.from(entry.name), packed);
    position += 30 + Buffer.byteLength(entry.name) + packed.length;
  }
  const tail = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(tail.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...locals, tail, end]);
}
