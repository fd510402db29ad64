/**
 * One 512-byte header of the only kind of tar that a bundle uses: plain ustar, regular files, no extensions.
 *
 * `tar/header` does the field layout; what it is lenient about (numbers with trailing text, a checksum field with
 * anything behind its digits) is refused here, because two programs could read such a header differently.
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
  const header = new Header({ path, size, mode, uid: 0, gid: 0, mtime: new Date(0), type: "File" });
  const block = Buffer.alloc(blockSize);
  header.encode(block);
  const decoded = decodeHeader(block);
  if (decoded.kind !== "file" || decoded.path !== path || decoded.size !== size) {
    throw new Error(`the path does not fit a ustar header: ${path}`);
  }
  return block;
}

/** What a block of {@link blockSize} bytes says. Never throws on hostile bytes. */
export function decodeHeader(block: Buffer): HeaderBlock {
  if (block.every((byte) => byte === 0)) return { kind: "end" };
  const field = (offset: number, length: number): string => block.toString("latin1", offset, offset + length);
  if (!/^[0-7]{6}( \0|\0 |[0-7]\0)$/.test(field(148, 8))) return damaged("its checksum field is not one");
  if (!isNumber(block, 124, 12)) return damaged("its size field is not a number");
  if (!isNumber(block, 100, 8)) return damaged("its mode field is not a number");
  let header: Header;
  try {
    header = new Header(block, 0);
  } catch {
    return damaged("its numbers are out of range");
  }
  if (!header.cksumValid) return damaged("its checksum does not match");
  const { path, size, mode } = header;
  if (path === undefined || size === undefined || mode === undefined || !Number.isSafeInteger(size)) {
    return damaged("its numbers are out of range");
  }
  if (header.typeKey !== "0") return { kind: "other", path, type: header.type };
  return { kind: "file", path, size, mode };
}

/** Bytes from the end of a member's data to the next header. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function damaged(why: string): HeaderBlock {
  return { kind: "damaged", why };
}

/** Octal digits and their terminator, or (sizes from 8 GiB on) base 256 with only the marker bit in the first byte. */
function isNumber(block: Buffer, offset: number, length: number): boolean {
  if (block[offset] === 0x80) return true;
  return /^[0-7]+( \0|\0| )$/.test(block.toString("latin1", offset, offset + length));
}
