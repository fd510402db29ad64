/**
 * Remembers which contents an artifact gave, so that a second run downloads and unpacks nothing:
 * `members/<algorithm>-<hex>.json` in the store. Two lines: SHA-256 of the second, and the record as JSON.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestOf, isDigest } from "#bundle";
import { writeDurably } from "./staged.ts";
import type { Store } from "./store.ts";

/** One file that came out of an artifact. */
export interface Kept {
  readonly member: string;
  readonly digest: Digest;
  readonly size: number;
}

/** By pattern: `usr/bin/etcd` gave one, `usr/lib/cni/*` gave several, `.` is the artifact itself. */
export type Members = Readonly<Record<string, readonly Kept[]>>;

/** What an artifact gave for all of `patterns`; null unless every content is in the store and intact. */
export async function recallMembers(
  store: Store,
  artifact: string,
  patterns: readonly string[],
): Promise<Members | null> {
  const known = read(store, artifact);
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
  await writeDurably(join(store.dir, "temporary"), pathOf(store, artifact), `${digestOf(record)}\n${record}\n`);
}

function read(store: Store, artifact: string): Members {
  try {
    const [digest, record = ""] = readFileSync(pathOf(store, artifact), "utf8").split("\n");
    if (digest !== digestOf(record)) return {};
    const members = JSON.parse(record) as Record<string, Kept[]>;
    return Object.values(members).every((all) => all.every((one) => isDigest(one.digest))) ? members : {};
  } catch {
    // Not there, or damaged: the artifact is then taken anew.
    return {};
  }
}

function pathOf(store: Store, artifact: string): string {
  return join(store.dir, "members", `${artifact.replace(":", "-")}.json`);
}
