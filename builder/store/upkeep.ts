/** `kubeferry store list|verify|gc`: looks after a store that no build is writing to, or is. */
import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestFile, isDigest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { isAbandoned } from "./partial.ts";
import type { Store } from "./store.ts";

export interface StoredContent {
  readonly digest: Digest;
  readonly size: number;
  /** When a build last stored or used it. */
  readonly used: Date;
}

/** Every content of a store, in order of digest. Nothing is hashed. */
export function listStore(store: Store): StoredContent[] {
  const root = join(store.dir, "sha256");
  return filesBelow(root)
    .flatMap((path) => {
      const digest = path.slice(path.lastIndexOf("/") + 1);
      const found = statSync(join(root, path), { throwIfNoEntry: false });
      return found === undefined || !isDigest(digest) ? [] : [{ digest, size: found.size, used: found.mtime }];
    })
    .toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** Hashes every content: DIGEST_MISMATCH of each that is not what its name says. With `repair` they are taken away. */
export async function verifyStore(
  store: Store,
  options: { readonly repair?: boolean; readonly onContent?: (done: number, total: number) => void } = {},
): Promise<ExpectedError[]> {
  const contents = listStore(store);
  const problems: ExpectedError[] = [];
  for (const [index, { digest }] of contents.entries()) {
    const path = store.path(digest);
    const found = digestOrNull(path);
    if (found !== digest) {
      const hint =
        options.repair === true ? undefined : "kubeferry store verify --repair; the next build fetches it again";
      const details = { where: path, expected: digest, found: found ?? "unreadable", hint };
      problems.push(new ExpectedError("DIGEST_MISMATCH", "this content is damaged", details));
      if (options.repair === true) await store.remove(digest);
    }
    options.onContent?.(index + 1, contents.length);
  }
  return problems;
}

export interface Collected {
  readonly removed: number;
  /** Bytes that are free again. */
  readonly bytes: number;
  readonly kept: number;
}

const hour = 3_600_000;

/**
 * Takes away contents that no build has used for `olderThanMs` and that are not in `keep`, abandoned downloads of that
 * age, and what interrupted builds left behind. A build under way loses nothing that it has asked for.
 */
export async function collectGarbage(
  store: Store,
  options: { readonly keep?: ReadonlySet<string>; readonly olderThanMs: number; readonly now: Date },
): Promise<Collected> {
  const before = options.now.getTime() - options.olderThanMs;
  let removed = 0;
  let bytes = 0;
  let kept = 0;
  const take = async (path: string, size: number): Promise<void> => {
    await rm(path, { force: true });
    removed += 1;
    bytes += size;
  };
  for (const { digest, size, used } of listStore(store)) {
    if (options.keep?.has(digest) === true || used.getTime() > before) {
      kept += 1;
      continue;
    }
    await store.remove(digest);
    removed += 1;
    bytes += size;
  }
  // A temporary file has no owner's name; nothing is written for longer than this without a byte.
  const leftovers = { temporary: options.now.getTime() - 24 * hour, partial: before };
  for (const [folder, limit] of Object.entries(leftovers)) {
    for (const name of filesBelow(join(store.dir, folder))) {
      const path = join(store.dir, folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      const free = folder !== "partial" || isAbandoned(name);
      if (found !== undefined && free && found.mtimeMs <= limit) await take(path, found.size);
    }
  }
  return { removed, bytes, kept };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

function digestOrNull(path: string): Digest | null {
  try {
    return digestFile(path).digest;
  } catch {
    return null;
  }
}
