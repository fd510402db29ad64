/**
 * Remembers which contents an artifact gave, so that a second run downloads and unpacks nothing:
 * `members/<algorithm>-<hex>.json` in the store, sealed (sealed-note.ts), since no digest proves what it says.
 */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Digest, isDigest, replaceFile } from "#bundle";
import { foreignNote, readNote, sealNote } from "./sealed-note.ts";
import type { Store } from "./store.ts";

/** One file that came out of an artifact. */
export interface Kept {
  readonly member: string;
  readonly digest: Digest;
  readonly size: number;
}

/** By pattern: `usr/bin/etcd` gave one, `usr/lib/cni/*` gave several, `.` is the artifact itself. */
export type Members = Readonly<Record<string, readonly Kept[]>>;

/** What an artifact gave for all of `patterns`; null unless every content is in the store and intact. `warn` names a forged record. */
export async function recallMembers(
  store: Store,
  artifact: string,
  patterns: readonly string[],
  warn: (message: string) => void = () => {},
): Promise<Members | null> {
  const known = read(store, artifact, warn);
  for (const pattern of patterns) {
    const kept = known[pattern];
    if (kept === undefined) return null;
    for (const { digest } of kept) if (!(await store.has(digest))) return null;
  }
  return Object.fromEntries(patterns.map((pattern) => [pattern, known[pattern] ?? []]));
}

/** Adds to what is known of an artifact, whose own digest the caller has verified. */
export async function rememberMembers(store: Store, artifact: string, members: Members): Promise<void> {
  const record = JSON.stringify({ ...read(store, artifact), ...members });
  const name = nameOf(artifact);
  const path = join(store.dir, name);
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, sealNote(store.dir, name, record), 0o644, store.newFile());
}

/** {} where there is no record, or none of this store's own: the artifact is then taken anew. */
function read(store: Store, artifact: string, warn: (message: string) => void = () => {}): Members {
  const note = readNote(store.dir, nameOf(artifact));
  if (note.kind === "foreign") warn(foreignNote(note));
  if (note.kind !== "own") return {};
  const members = JSON.parse(note.text) as Record<string, Kept[]>;
  return Object.values(members).every((all) => all.every((one) => isDigest(one.digest))) ? members : {};
}

function nameOf(artifact: string): string {
  return `members/${artifact.replace(":", "-")}.json`;
}
