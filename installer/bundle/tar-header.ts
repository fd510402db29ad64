/**
 * One 512-byte header of the only kind of tar that a bundle uses: plain ustar, regular files, no extensions.
 *
 * `tar/header` does the field layout. It is lenient, and so is every other tar, each in its own way: a header with a
 * GNU magic, a version of spaces or a number with trailing text names one file here and another one there. So a header
 * counts only if encoding what was read from it gives the very same bytes.
 */
import { Header } from "tar/header";

export const blockSize = 512;

export type HeaderBlock =
  | { readonly kind: "end" }
  | { readonly kind: "file"; readonly path: string; readonly size: number; readonly mode: number }
  | { readonly kind: "other"; readonly path: string; readonly type: string }
  | { readonly kind: "damaged"; readonly why: string };

/** The header of a regular file with mtime 0, owner 0:0. `path` must fit ustar: 100 bytes, or 155 and 100 at a slash. */
export function encodeHeader(path: string, size: number, mode: number): Buffer {
  const block = writeHeader(path, size, mode);
  const decoded = decodeHeader(block);
  if (decoded.kind !== "file" || decoded.path !== path || decoded.size !== size) {
    throw new Error(`the path does not fit a ustar header: ${path}`);
  }
  return block;
}

/** What a block of {@link blockSize} bytes says. Never throws on hostile bytes. */
export function decodeHeader(block: Buffer): HeaderBlock {
  if (block.every((byte) => byte === 0)) return { kind: "end" };
  let header: Header;
  try {
    header = new Header(block, 0);
  } catch {
    return damaged("its numbers are out of range");
  }
  const { path, size, mode } = header;
  if (!header.cksumValid) return damaged("its checksum does not match");
  if (path === undefined || size === undefined || mode === undefined || !Number.isSafeInteger(size)) {
    return damaged("its numbers are out of range");
  }
  if (header.typeKey !== "0") return { kind: "other", path, type: header.type };
  const only = writeHeader(path, size, mode);
  const differs = block.findIndex((byte, at) => byte !== only[at]);
  if (differs >= 0) return damaged(`its ${fieldAt(differs)} is not what a bundle's header has`);
  return { kind: "file", path, size, mode };
}

/** Bytes from the end of a member's data to the next header. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function writeHeader(path: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(blockSize);
  new Header({ path, size, mode, uid: 0, gid: 0, mtime: new Date(0), type: "File" }).encode(block);
  return block;
}

function damaged(why: string): HeaderBlock {
  return { kind: "damaged", why };
}

/** Where each field of POSIX ustar begins. */
const fields: readonly (readonly [offset: number, name: string])[] = [
  [0, "name"],
  [100, "mode"],
  [108, "uid"],
  [116, "gid"],
  [124, "size"],
  [136, "mtime"],
  [148, "checksum"],
  [156, "typeflag"],
  [157, "linkname"],
  [257, "magic"],
  [263, "version"],
  [265, "uname"],
  [297, "gname"],
  [329, "device"],
  [345, "prefix"],
  [500, "filling"],
];

function fieldAt(byte: number): string {
  return fields.findLast(([offset]) => offset <= byte)?.[1] ?? "name";
}
