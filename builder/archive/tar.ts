/**
 * Entries of a plain tar stream: ustar, GNU long names, pax. What two programs could read differently is refused. Bundles
 * have a reader of their own (`installer/bundle/tar-source.ts`), which takes one strict form only: upstream's archives are of
 * every other.
 */
import { Header } from "tar/header";
import { ExpectedError } from "#cli/errors";
import { type ByteReader, EndOfStream } from "./byte-reader.ts";
import type { Entry } from "./entry.ts";

const block = 512;
const largestExtension = 1024 * 1024;

interface Extension {
  path?: string;
  linkpath?: string;
  size?: number;
}

/** Whether these first 512 bytes are a tar header, or the end of an empty tar. */
export function isTar(start: Buffer): boolean {
  const header = start.length < block ? null : decoded(start);
  return header !== null && (header.cksumValid || header.nullBlock);
}

/** Null for numbers in base 256 that are none. */
function decoded(raw: Buffer): Header | null {
  try {
    return new Header(raw, 0);
  } catch {
    return null;
  }
}

export async function* readTar(reader: ByteReader): AsyncGenerator<Entry> {
  let extension: Extension = {};
  for (;;) {
    const raw = await reader.upTo(block);
    if (raw.length < block) throw new EndOfStream("no end-of-archive block");
    const header = decoded(raw);
    if (header === null) throw invalid("a header's numbers are out of range");
    if (header.nullBlock) return;
    if (!header.cksumValid) throw invalid("a header's checksum is wrong");
    const type: string = header.type;
    const size = extension.size ?? header.size ?? 0;
    if (!Number.isSafeInteger(size) || size < 0) throw invalid("a member has no sensible size");
    const padding = (block - (size % block)) % block;
    if (isExtension(type)) {
      if (size > largestExtension) throw new ExpectedError("ARCHIVE_BOMB", "an extended header is larger than 1 MiB");
      extension = extended(extension, type, await reader.exactly(size));
      await reader.skip(padding);
      continue;
    }
    const end = reader.position + size + padding;
    const kind = kindOf(type);
    if (kind !== "file" && kind !== "other" && size > 0) throw invalid("a link or directory has a content");
    yield {
      name: extension.path ?? header.path ?? "",
      kind,
      size,
      target: extension.linkpath ?? header.linkpath ?? "",
      bytes: () => reader.stream(size),
    };
    extension = {};
    await reader.skip(end - reader.position);
  }
}

function isExtension(type: string): boolean {
  return /^(ExtendedHeader|OldExtendedHeader|GlobalExtendedHeader|NextFileHasLongPath|NextFileHasLongLinkpath)$/.test(
    type,
  );
}

function kindOf(type: string): Entry["kind"] {
  if (type === "File" || type === "OldFile" || type === "ContiguousFile") return "file";
  if (type === "Directory") return "directory";
  if (type === "SymbolicLink") return "symlink";
  return type === "Link" ? "hardlink" : "other";
}

function extended(before: Extension, type: string, body: Buffer): Extension {
  const text = (): string => body.toString("utf8").replace(/\0.*$/s, "");
  if (type === "NextFileHasLongPath") return { ...before, path: text() };
  if (type === "NextFileHasLongLinkpath") return { ...before, linkpath: text() };
  const found = paxRecords(body);
  for (const key of found.keys()) {
    if (key.startsWith("GNU.sparse.")) throw new ExpectedError("MEMBER_KIND", "a sparse member is refused");
  }
  const own = ["path", "linkpath", "size"].filter((key) => found.has(key));
  if (type === "GlobalExtendedHeader") {
    if (own.length > 0) throw invalid(`a global header sets ${own.join(", ")}`);
    return before;
  }
  const size = found.get("size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw invalid("a member has no sensible size");
  const path = found.get("path");
  const linkpath = found.get("linkpath");
  return {
    ...before,
    ...(path === undefined ? {} : { path }),
    ...(linkpath === undefined ? {} : { linkpath }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}

/** Records `<length> <key>=<value>\n`; the length counts the whole record. */
function paxRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? "" : body.toString("latin1", at, space);
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : 0;
    const record = body.subarray(space + 1, at + length);
    const equals = record.indexOf(0x3d);
    if (length === 0 || at + length > body.length || record.at(-1) !== 0x0a || equals < 1) {
      throw invalid("a pax header is broken");
    }
    records.set(record.toString("utf8", 0, equals), record.toString("utf8", equals + 1, record.length - 1));
    at += length;
  }
  return records;
}

function invalid(why: string): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", `this tar is refused: ${why}`);
}
