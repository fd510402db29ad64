/** Ways to change a tar that a program, a bad stick or an attacker has. Every mutation is drawn by fast-check. */
import * as fc from "fast-check";
import { resum } from "./sample-bundle.ts";

const block = 512;

/** Changes `bytes`, which starts at a header's first byte, or gives other bytes. */
export interface Mutation {
  /** What is changed, for the count. */
  readonly kind: string;
  readonly name: string;
  apply(bytes: Buffer): Buffer;
}

const headerEdits: readonly (readonly [name: string, offset: number, texts: readonly string[]])[] = [
  ["name", 0, ["install", "bin/install", "bundle.json", "./install", "install/", "x/../install", "/install"]],
  ["name behind its end", 90, ["x", "/x"]],
  [
    "mode",
    100,
    ["000777 \0", "004755 \0", "000000 \0", "0000755\0", "    755 ", "755\0\0\0\0\0", "\x80\0\0\0\0\0\x01\xed"],
  ],
  ["uid", 108, ["001750 \0", "0001750\0", "\x80\0\0\0\0\0\x03\xe8", "\0\0\0\0\0\0\0\0"]],
  ["gid", 116, ["001750 \0", "\0\0\0\0\0\0\0\0"]],
  ["size", 124, ["0000000000 \0", "0000001000 \0", "        17\0\0", "\x80\0\0\0\0\0\0\0\0\0\0\x11", "-1\0"]],
  ["mtime", 136, ["14000000000\0", "-0000000001\0", "            "]],
  ["typeflag", 156, ["\0", "1", "2", "5", "7", "D", "K", "L", "M", "N", "S", "V", "g", "x", "A", "X", " "]],
  ["linkname", 157, ["/etc/passwd", "install"]],
  ["magic", 257, ["ustar  \0", "ustar\0  ", "\0\0\0\0\0\0\0\0", "ustar\0\0\0", "GNUtar \0", "ustar\x0001", "tar\0"]],
  ["uname", 265, ["nobody", "root", "daemon"]],
  ["gname", 297, ["nogroup", "root"]],
  ["device", 329, ["000007 \0", "\0\0\0\0\0\0\0\0"]],
  ["prefix", 345, ["bin", "..", "/", "bin\0/x", "a".repeat(155)]],
  ["prefix behind 130", 475, ["x", "14000000000 14000000000 "]],
  ["filling", 500, ["tar\0", "x", "ustar"]],
];

/** Up to three edits of header fields, with the checksum made right again (or, at times, left wrong). */
const headerEdit = fc
  .tuple(
    fc.nat(),
    fc.array(
      fc
        .constantFrom(...headerEdits)
        .chain(([name, offset, texts]) => fc.tuple(fc.constant([name, offset] as const), fc.constantFrom(...texts))),
      { minLength: 1, maxLength: 3 },
    ),
    fc.boolean(),
  )
  .map(([where, edits, right]): Mutation => ({
    kind: "tar header",
    name: `header ${edits.map(([[name], text]) => `${name}=${JSON.stringify(text)}`).join(", ")}`,
    apply(bytes) {
      const copy = Buffer.from(bytes);
      const header = pick(headersOf(copy), where);
      for (const [[, offset], text] of edits) copy.write(text, header + offset, "latin1");
      if (right) resum(copy.subarray(header, header + block));
      return copy;
    },
  }));

const flip = fc
  .tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean())
  .map(([where, change, right]): Mutation => ({
    kind: right ? "tar header" : "any byte",
    name: `byte ${where} ^ ${change}`,
    apply(bytes) {
      const copy = Buffer.from(bytes);
      // Half of them in headers, where each tar has its own mind.
      const headers = headersOf(copy);
      const header = pick(headers, where);
      const at = right ? header + (where % block) : where % copy.length;
      copy[at] = (copy[at] ?? 0) ^ change;
      if (right) resum(copy.subarray(header, header + block));
      return copy;
    },
  }));

const members = fc
  .tuple(fc.constantFrom("swap", "repeat", "drop", "move to the end", "zero block between"), fc.nat(), fc.nat())
  .map(([what, first, second]): Mutation => ({
    kind: "members",
    name: `${what} ${first} ${second}`,
    apply(bytes) {
      const list = membersOf(bytes);
      const [a, b] = [first % list.length, second % list.length];
      const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = [list[a], list[b]];
      if (what === "swap") [list[a], list[b]] = [other, one];
      if (what === "repeat") list.splice(b, 0, one);
      if (what === "drop") list.splice(a, 1);
      if (what === "move to the end") list.push(...list.splice(a, 1));
      if (what === "zero block between") list.splice(a, 0, Buffer.alloc(block));
      return Buffer.concat([...list, Buffer.alloc(2 * block)]);
    },
  }));

const end = fc
  .tuple(fc.constantFrom("cut", "fill", "half a block", "text", "another tar"), fc.integer({ min: 1, max: 2000 }))
  .map(([what, count]): Mutation => ({
    kind: "end of the tar",
    name: `end: ${what} ${count}`,
    apply(bytes) {
      if (what === "cut") return bytes.subarray(0, bytes.length - count);
      const more =
        what === "fill" ? Buffer.alloc(count * block) : what === "half a block" ? Buffer.alloc(count) : undefined;
      return Buffer.concat([bytes, more ?? (what === "text" ? Buffer.from("x".repeat(count)) : bytes)]);
    },
  }));

/** An extension header before a member, which says another name, size or owner for it. */
const extension = fc
  .tuple(
    fc.nat(),
    fc.constantFrom("x", "g", "L", "K"),
    fc.constantFrom("path=evil", "size=1", "uid=1000", "linkpath=x"),
  )
  .map(([where, type, text]): Mutation => ({
    kind: "extension header",
    name: `extension ${type} ${text}`,
    apply(bytes) {
      const list = membersOf(bytes);
      const at = where % list.length;
      const record = type === "x" || type === "g" ? `${text.length + 4} ${text}\n` : `${text.split("=")[1] ?? ""}\0`;
      const header = Buffer.from(list[at]?.subarray(0, block) ?? Buffer.alloc(block));
      header.write(type, 156);
      header.write(`${record.length.toString(8).padStart(10, "0")} \0`, 124);
      resum(header);
      const data = Buffer.alloc(block);
      data.write(record);
      list.splice(at, 0, Buffer.concat([header, data]));
      return Buffer.concat([...list, Buffer.alloc(2 * block)]);
    },
  }));

/** Changes of a tar that know nothing of what is in it. */
export const tarMutation = fc.oneof(
  { weight: 4, arbitrary: headerEdit },
  { weight: 3, arbitrary: flip },
  members,
  end,
  extension,
);

/** All of them in order; a mutation that no longer finds a member leaves the bytes as they are. */
export function mutate(bytes: Buffer, list: readonly Mutation[]): Buffer {
  return list.reduce((current, mutation) => (membersOf(current).length > 0 ? mutation.apply(current) : current), bytes);
}

/** Header, data and padding of each member of a tar that Kubeferry wrote. */
export function membersOf(bytes: Buffer): Buffer[] {
  const starts = headersOf(bytes);
  const last = starts.at(-1);
  if (last === undefined) return [];
  const ends = [...starts.slice(1), endOf(bytes, last)];
  return starts.map((start, at) => bytes.subarray(start, ends[at]));
}

function headersOf(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0;) {
    found.push(at);
    const next = endOf(bytes, at);
    if (next > bytes.length) break;
    at = next;
  }
  return found;
}

function endOf(bytes: Buffer, header: number): number {
  const size = Number.parseInt(bytes.toString("latin1", header + 124, header + 134), 8);
  return header + block + Math.ceil((Number.isNaN(size) || size < 0 ? 0 : size) / block) * block;
}

function pick(list: readonly number[], at: number): number {
  return list[at % list.length] ?? 0;
}
