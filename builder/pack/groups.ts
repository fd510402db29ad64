/**
 * Which contents share a frame. A window over similar binaries is worth more than eight levels of compression, and a
 * node decodes a frame whole, so: binaries of one version and platform together, all small shared files together,
 * a node's own small files together, and anything else that is large alone. Pure.
 */
import { type Digest, digestOf } from "#bundle";
import type { Lock } from "../lock/lock.ts";
import type { NodeFile } from "../render/node-file.ts";

/** Bytes that some file has: in memory, or in the store under their digest. */
export interface Content {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes?: Buffer;
}

export interface Group {
  readonly name: string;
  readonly contents: readonly Content[];
}

const small = 1024 * 1024;
/** Twice the window: what is further apart finds nothing of each other. */
const frameSize = 64 * 1024 * 1024;

/** The content of a file; text is digested here. */
export function contentOf(file: NodeFile): Content {
  if (typeof file.content !== "string") return file.content;
  const bytes = Buffer.from(file.content, "utf8");
  return { digest: digestOf(bytes), size: bytes.length, bytes };
}

/** The groups of all files that are not sensitive, and what is in each, in an order that depends on nothing else. */
export function groupContents(files: readonly NodeFile[], lock: Pick<Lock, "artifacts">): Group[] {
  const versions = new Map(lock.artifacts.map((item) => [item.digest, `${item.version} ${item.platform}`]));
  const chosen = new Map<Digest, { group: string; path: string; content: Content }>();
  for (const file of files) {
    if (file.sensitive) continue;
    const content = contentOf(file);
    const candidate = { group: groupName(file, content, versions), path: file.path, content };
    const other = chosen.get(content.digest);
    if (other === undefined) chosen.set(content.digest, candidate);
    else if (other.group !== candidate.group) {
      // Two nodes' own files with one content are shared; else the group that sorts first has it.
      const both = other.group.startsWith("node ") && candidate.group.startsWith("node ");
      const group = both ? "shared" : [other.group, candidate.group].toSorted()[0];
      chosen.set(content.digest, { ...other, group: group ?? other.group, path: least(other.path, file.path) });
    } else chosen.set(content.digest, { ...other, path: least(other.path, file.path) });
  }
  const groups = new Map<string, { path: string; content: Content }[]>();
  for (const { group, ...item } of chosen.values()) groups.set(group, [...(groups.get(group) ?? []), item]);
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, items]) =>
      inFrames(
        name,
        items
          .toSorted((a, b) =>
            a.path === b.path ? (a.content.digest < b.content.digest ? -1 : 1) : a.path < b.path ? -1 : 1,
          )
          .map(({ content }) => content),
      ),
    );
}

/** A group in frames of a size: each core has its own, and a node decodes no more than it wants. */
export function inFrames(name: string, contents: readonly Content[]): Group[] {
  const runs: Content[][] = [];
  let length = Infinity;
  for (const content of contents) {
    if (length + content.size > frameSize) {
      runs.push([]);
      length = 0;
    }
    runs.at(-1)?.push(content);
    length += content.size;
  }
  return runs.map((run, at) => ({ name: at === 0 ? name : `${name} ${at + 1}`, contents: run }));
}

function groupName(file: NodeFile, content: Content, versions: ReadonlyMap<string, string>): string {
  const version = file.origin.from === "artifact" ? versions.get(file.origin.digest) : undefined;
  if (version !== undefined) return `binaries ${version}`;
  if (content.size >= small) return `single ${content.digest}`;
  const [node, ...more] = file.for.nodes ?? [];
  return node !== undefined && more.length === 0 ? `node ${node}` : "shared";
}

function least(a: string, b: string): string {
  return a < b ? a : b;
}
