/** Copies of etcd's data beside the journal, `etcd-<time>.db` or sealed `etcd-<time>.db.age`: named, counted, removed. */
import * as fs from "node:fs";
import { join } from "node:path";
import { statePath } from "./state.ts";

/** As the node sees it. */
export const snapshotFolder = `${statePath}/snapshots`;
const named = /^etcd-(\d{8}T\d{6}Z)\.db(\.age)?$/;
const day = 86_400_000;

/** `etcd-20261121T101500Z.db`: in the order of their names they are in that of time. */
export function snapshotName(now: Date): string {
  return `etcd-${now.toISOString().replaceAll(/[-:]|\.\d+/g, "")}.db`;
}

/** Removes one file: what is sealed needs no open copy beside it. */
export function removeSnapshot(path: string): void {
  fs.rmSync(path, { force: true });
}

/** The sealed and open snapshots of a folder on this machine, oldest first. */
export function snapshotsIn(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => named.test(name))
    .toSorted();
}

/** Which of `names` are too many where the newest `keep` stay. Pure. */
export function tooMany(names: readonly string[], keep: number): string[] {
  return names.slice(0, Math.max(0, names.length - keep));
}

/** Removes the oldest but `keep`, and what a power cut left half written more than a day ago. The names of the former. */
export function pruneSnapshots(folder: string, keep: number, now: Date): string[] {
  const gone = tooMany(snapshotsIn(folder), keep);
  for (const name of gone) removeSnapshot(join(folder, name));
  for (const name of fs.readdirSync(folder)) {
    if (!/\.(part|partial|open)$/.test(name)) continue;
    const path = join(folder, name);
    if (now.getTime() - fs.statSync(path).mtimeMs > day) removeSnapshot(path);
  }
  return gone;
}
