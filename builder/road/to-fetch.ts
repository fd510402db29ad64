/** How much a road is going to download, told before it does. What several steps share is counted once. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatBytes } from "#cli/quantities";
import type { BuildOptions } from "../build.ts";
import { wantedItems } from "../lock/list.ts";
import { readLock } from "../lock/lock-file.ts";
import type { Lock } from "../lock/lock.ts";
import { recallMembers } from "../store/members.ts";
import { Store } from "../store/store.ts";
import type { PlannedStep } from "./plan.ts";

/** Asks no network and makes nothing. Sizes are those that somebody published: of images nobody does. */
export async function tellFetch(steps: readonly PlannedStep[], { cache, reporter }: BuildOptions): Promise<void> {
  const store = existsSync(join(cache, "sha256")) ? Store.openExisting(cache) : null;
  const sizes = new Map<string, number | null>();
  for (const { loaded, lock: path } of steps) {
    const lock = await readLock(path);
    const there = lock === null || store === null ? new Set<string>() : await stored(lock, store);
    for (const { kind, from, size } of wantedItems(loaded, lock)) {
      const isBody = kind === "artifact" || kind === "image" || kind === "package";
      if (isBody && !there.has(from)) sizes.set(from, size);
    }
  }
  const known = [...sizes.values()].filter((size) => size !== null);
  const [bytes, items] = [known.reduce((sum, size) => sum + size, 0), sizes.size];
  reporter.record("to-fetch", { items, bytes, unknown: items - known.length });
  const rest = items === known.length ? "" : `, and ${items - known.length} whose size nobody says`;
  reporter.stage("fetch", `at most ${items} files, images and packages: ${formatBytes(bytes)}${rest}`);
}

/** The artifacts whose files the store has. */
async function stored({ artifacts }: Lock, store: Store): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { digest, resolved, files } of artifacts) {
    if ((await recallMembers(store, digest, Object.keys(files))) !== null) found.add(resolved);
  }
  return found;
}
