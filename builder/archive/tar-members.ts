/** Where each member of a plain tar file lies, so that any one of them can be read without the others. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { ExpectedError } from "#cli/errors";

export interface TarMember {
  readonly type: "file" | "link" | "other";
  readonly offset: number;
  readonly size: number;
  /** Target of a symbolic or hard link, as written. */
  readonly target: string;
}

const blockSize = 512;
const mostMembers = 100_000;
const largestExtension = 1024 * 1024;
const ignored: ReadonlySet<string> = new Set(["Directory", "GNUDumpDir"]);

/** Members by name. ARCHIVE_INVALID, TRUNCATED, MEMBER_DUPLICATE, PATH_ESCAPES or ARCHIVE_BOMB for what is not to be trusted. */
export function readTarMembers(path: string): Map<string, TarMember> {
  const file = openSync(path, "r");
  try {
    return scan(file, fstatSync(file).size, path);
  } finally {
    closeSync(file);
  }
}

function scan(file: number, total: number, path: string): Map<string, TarMember> {
  const members = new Map<string, TarMember>();
  const block = Buffer.alloc(blockSize);
  let extended: Pax | { path?: string; linkpath?: string; size?: number } | undefined;
  let position = 0;
  const fail = (
    code: "ARCHIVE_INVALID" | "TRUNCATED" | "MEMBER_DUPLICATE" | "PATH_ESCAPES" | "ARCHIVE_BOMB",
    why: string,
  ) => new ExpectedError(code, why, { where: `${path}, byte ${position}` });

  for (;;) {
    if (readSync(file, block, 0, blockSize, position) < blockSize)
      throw fail("TRUNCATED", "the archive ends too early");
    const header = decoded(block, extended);
    if (header === null) throw fail("ARCHIVE_INVALID", "a header's numbers are out of range");
    if (header.nullBlock) return members;
    if (!header.cksumValid) throw fail("ARCHIVE_INVALID", "this is not a plain tar: a header's checksum is wrong");
    const size = header.size ?? 0;
    const offset = position + blockSize;
    if (!Number.isSafeInteger(size) || size < 0) throw fail("ARCHIVE_INVALID", "a member has no sensible size");
    if (offset + size > total) throw fail("TRUNCATED", `the archive ends inside ${header.path ?? "a member"}`);
    const { type } = header;
    if (type === "ExtendedHeader" || type === "GlobalExtendedHeader" || type.startsWith("NextFileHasLong")) {
      if (size > largestExtension) throw fail("ARCHIVE_BOMB", "an extended header is larger than 1 MiB");
      const body = Buffer.alloc(size);
      readSync(file, body, 0, size, offset);
      extended = extend(extended, type, body.toString("utf8"));
    } else {
      const name = clean(header.path ?? "", type);
      if (name === null) throw fail("PATH_ESCAPES", `"${header.path ?? ""}" leaves the archive`);
      if (!ignored.has(type)) {
        if (members.has(name)) throw fail("MEMBER_DUPLICATE", `"${name}" is in the archive twice`);
        if (members.size >= mostMembers) throw fail("ARCHIVE_BOMB", `more than ${mostMembers} members`);
        members.set(name, { type: kindOf(type), offset, size, target: header.linkpath ?? "" });
      }
      extended = undefined;
    }
    position = offset + Math.ceil(size / blockSize) * blockSize;
  }
}

/** Null for numbers in base 256 that are none. */
function decoded(block: Buffer, extended: ConstructorParameters<typeof Header>[2]): Header | null {
  try {
    return new Header(block, 0, extended);
  } catch {
    return null;
  }
}

function extend(before: { path?: string; linkpath?: string } | undefined, type: string, body: string) {
  if (type === "ExtendedHeader") return Pax.parse(body, before);
  if (type === "NextFileHasLongPath") return { ...before, path: body.replace(/\0.*/s, "") };
  if (type === "NextFileHasLongLinkpath") return { ...before, linkpath: body.replace(/\0.*/s, "") };
  return before;
}

function kindOf(type: string): TarMember["type"] {
  if (type === "File" || type === "OldFile" || type === "ContiguousFile") return "file";
  return type === "SymbolicLink" || type === "Link" ? "link" : "other";
}

function clean(name: string, type: string): string | null {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..") || /[\0\n\\]/.test(name)) return null;
  return parts.length === 0 && !ignored.has(type) ? null : parts.join("/");
}
