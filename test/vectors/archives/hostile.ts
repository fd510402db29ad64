/** Hostile archives, and the code by which each is refused. What is wanted out of every one of them is `bin/tool`. */
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { ErrorCode } from "#cli/errors";
import { ar, deb } from "./containers.ts";
import { pax, tar, tarEntry } from "./tar.ts";

export interface HostileArchive {
  readonly name: string;
  readonly bytes: () => Buffer;
  readonly code: ErrorCode;
  /** What is wanted, where it is not `bin/tool`. */
  readonly wanted?: string;
}

const tool = { name: "bin/tool", content: "the tool" };
const good = (): Buffer => tar([tool]);
/** Incompressible enough to be cut in its middle. */
const noise = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index * 31 + (index >> 3)) & 0xff));
const large = (): Buffer => tar([{ name: "bin/tool", content: noise }]);
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
/** As the zstd command writes it: with a checksum behind each frame. */
const checksummed = (bytes: Buffer): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
/** A member of 100 MiB of zeros, less than a member may have. */
const zeros = (): Buffer => tar([{ name: "padding", content: Buffer.alloc(100 * 1024 * 1024) }, tool]);

export const hostileArchives: readonly HostileArchive[] = [
  // Names that lead out
  { name: "tar: an absolute name", bytes: () => tar([{ name: "/etc/passwd" }, tool]), code: "PATH_ESCAPES" },
  { name: "tar: .. in front", bytes: () => tar([{ name: "../bin/tool" }, tool]), code: "PATH_ESCAPES" },
  { name: "tar: .. inside", bytes: () => tar([{ name: "bin/../../tool" }, tool]), code: "PATH_ESCAPES" },
  {
    name: "tar: .. in a pax path",
    bytes: () => tar([pax({ path: "a/../../b" }), { name: "b" }, tool]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: .. in a GNU long name",
    bytes: () => tar([{ name: "././@LongLink", type: "L", content: "../x\0" }, { name: "x" }, tool]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: a wanted member below an absolute name",
    bytes: () => tar([{ ...tool, name: "/bin/tool" }]),
    code: "PATH_ESCAPES",
  },
  { name: "tar: a line feed in a name", bytes: () => tar([{ name: "bin/a\nb" }, tool]), code: "ARCHIVE_INVALID" },
  {
    name: "tar: a member without a name",
    bytes: () => tar([{ name: "./", content: "x", type: "7" }, tool]),
    code: "ARCHIVE_INVALID",
  },
  // Links
  {
    name: "tar: a link up and out",
    bytes: () => tar([{ name: "bin/tool", type: "2", target: "../../etc/shadow" }]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: an absolute link that is wanted",
    bytes: () => tar([{ name: "bin/tool", type: "2", target: "/etc/shadow" }]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: a link out that nobody wants",
    bytes: () => tar([{ name: "x", type: "2", target: "../etc" }, tool]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: a hard link out",
    bytes: () => tar([{ name: "x", type: "1", target: "../etc/shadow" }, tool]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: an absolute hard link",
    bytes: () => tar([{ name: "bin/tool", type: "1", target: "/etc/shadow" }]),
    code: "PATH_ESCAPES",
  },
  {
    name: "tar: links in a circle",
    bytes: () =>
      tar([
        { name: "bin/tool", type: "2", target: "other" },
        { name: "bin/other", type: "2", target: "tool" },
      ]),
    code: "MEMBER_MISSING",
  },
  {
    name: "tar: a link to nothing",
    bytes: () => tar([{ name: "bin/tool", type: "2", target: "nothing" }]),
    code: "MEMBER_MISSING",
  },
  {
    name: "deb: a link above the package's root",
    bytes: () => deb(tar([{ name: "./bin/tool", type: "2", target: "../../x" }])),
    code: "PATH_ESCAPES",
  },
  // Kinds
  { name: "tar: a character device", bytes: () => tar([{ name: "dev/null", type: "3" }, tool]), code: "MEMBER_KIND" },
  { name: "tar: a block device", bytes: () => tar([{ name: "bin/tool", type: "4" }]), code: "MEMBER_KIND" },
  { name: "tar: a named pipe", bytes: () => tar([{ name: "bin/tool", type: "6" }]), code: "MEMBER_KIND" },
  { name: "tar: a GNU sparse member", bytes: () => tar([{ name: "bin/tool", type: "S" }]), code: "MEMBER_KIND" },
  { name: "tar: a pax sparse member", bytes: () => tar([pax({ "GNU.sparse.major": "1" }), tool]), code: "MEMBER_KIND" },
  // Names that occur twice
  {
    name: "tar: the wanted member twice",
    bytes: () => tar([tool, { ...tool, content: "another" }]),
    code: "MEMBER_DUPLICATE",
  },
  {
    name: "tar: the wanted member twice, once by ./",
    bytes: () => tar([tool, { ...tool, name: "./bin//tool" }]),
    code: "MEMBER_DUPLICATE",
  },
  {
    name: "tar: a link and a file of one name",
    bytes: () => tar([{ name: "bin/tool", type: "2", target: "a" }, tool]),
    code: "MEMBER_DUPLICATE",
  },
  {
    name: "tar: a folder and a file of one name",
    bytes: () => tar([{ name: "bin/tool/", type: "5" }, tool]),
    code: "MEMBER_DUPLICATE",
  },
  {
    name: "deb: data.tar twice",
    bytes: () =>
      ar([
        { name: "debian-binary", content: Buffer.from("2.0\n") },
        { name: "data.tar", content: good() },
        { name: "data.tar", content: good() },
      ]),
    code: "MEMBER_DUPLICATE",
  },
  // Bombs
  { name: "gzip: zeros without end", bytes: () => gzipSync(zeros()), code: "ARCHIVE_BOMB" },
  { name: "zstd: zeros without end", bytes: () => zstdCompressSync(zeros()), code: "ARCHIVE_BOMB" },
  {
    name: "tar: a wanted member that says it is huge",
    bytes: () => tar([{ name: "bin/tool", size: 0o70000000000 }], false),
    code: "ARCHIVE_BOMB",
  },
  {
    name: "tar: a pax header that says it is huge",
    bytes: () => tar([{ name: "x", type: "x", size: 2 ** 30 }], false),
    code: "ARCHIVE_BOMB",
  },
  {
    name: "tar: more members than any release has",
    bytes: () => tar(Array.from({ length: 1100 }, (_, index) => ({ name: `m${index}` }))),
    code: "ARCHIVE_BOMB",
  },
  {
    name: "deb: more parts than a package has",
    bytes: () =>
      ar([
        { name: "debian-binary", content: Buffer.from("2.0\n") },
        ...Array.from({ length: 40 }, (_, index) => ({ name: `x${index}`, content: Buffer.alloc(0) })),
      ]),
    code: "ARCHIVE_BOMB",
  },
  // Cut
  { name: "tar: no end", bytes: () => tar([tool], false), code: "TRUNCATED" },
  { name: "tar: cut in a member", bytes: () => half(large()), code: "TRUNCATED" },
  { name: "tar.gz: cut", bytes: () => half(gzipSync(large())), code: "TRUNCATED" },
  { name: "tar.gz: without its trailer", bytes: () => gzipSync(good()).subarray(0, -8), code: "TRUNCATED" },
  { name: "tar.zst: cut", bytes: () => half(zstdCompressSync(large())), code: "TRUNCATED" },
  { name: "tar.zst: without its last byte", bytes: () => checksummed(large()).subarray(0, -1), code: "TRUNCATED" },
  { name: "deb: cut", bytes: () => half(deb(gzipSync(large()), "data.tar.gz")), code: "TRUNCATED" },
  { name: "an empty file", bytes: () => Buffer.alloc(0), code: "TRUNCATED" },
  // Broken, or read differently by different programs
  { name: "a web page", bytes: () => Buffer.from(`<!doctype html>${" ".repeat(2000)}`), code: "ARCHIVE_INVALID" },
  {
    name: "tar: a wrong header checksum",
    bytes: () => tar([tool, { name: "x", wrongChecksum: true }]),
    code: "ARCHIVE_INVALID",
  },
  {
    name: "tar: a link with a content",
    bytes: () => Buffer.concat([tarEntry({ name: "x", type: "2", target: "y", content: "0".repeat(512) }), good()]),
    code: "ARCHIVE_INVALID",
  },
  {
    name: "tar: a global path for every member",
    bytes: () => tar([pax({ path: "bin/tool" }, "g"), { name: "evil" }, tool]),
    code: "ARCHIVE_INVALID",
  },
  {
    name: "tar: a pax record of a wrong length",
    bytes: () => tar([{ name: "p", type: "x", content: "99 path=x\n" }, tool]),
    code: "ARCHIVE_INVALID",
  },
  {
    name: "tar.gz: a wrong CRC",
    bytes: () => {
      const bytes = gzipSync(good());
      bytes.writeUInt32LE(1, bytes.length - 8);
      return bytes;
    },
    code: "ARCHIVE_INVALID",
  },
  { name: "deb: no debian-binary", bytes: () => ar([{ name: "data.tar", content: good() }]), code: "ARCHIVE_INVALID" },
  {
    name: "deb: no data.tar",
    bytes: () => ar([{ name: "debian-binary", content: Buffer.from("2.0\n") }]),
    code: "ARCHIVE_INVALID",
  },
  { name: "deb: a compression nobody knows", bytes: () => deb(good(), "data.tar.lzma"), code: "ARCHIVE_INVALID" },
  // Not there
  { name: "tar: what is wanted is not in it", bytes: () => tar([{ name: "other" }]), code: "MEMBER_MISSING" },
  {
    name: "tar: what is wanted is a folder",
    bytes: () => tar([{ name: "bin/tool/", type: "5" }]),
    code: "MEMBER_MISSING",
  },
  {
    name: "tar: nothing is in a wanted folder",
    bytes: () => tar([{ name: "bin/", type: "5" }]),
    code: "MEMBER_MISSING",
    wanted: "bin/*",
  },
  // Kinds that no release has
  { name: "a zip", bytes: () => Buffer.from("PK\x03\x04".padEnd(600, "\0")), code: "ARCHIVE_INVALID" },
  {
    name: "an .rpm",
    bytes: () => Buffer.concat([Buffer.from("edabeedb", "hex"), Buffer.alloc(600)]),
    code: "ARCHIVE_INVALID",
  },
];
