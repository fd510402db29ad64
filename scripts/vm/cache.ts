/** Folders that are made once for each set of ingredients and then only read. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";

export const cacheFolder = join(homedir(), ".cache/kubeferry/vm");

/**
 * The folder `<kind>-<digest of ingredients>` in the cache; `make` fills a new one under another name, and a
 * rename makes it the real one, so that an interrupted or concurrent build never shows a half.
 */
export async function cached(
  kind: string,
  ingredients: unknown,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const key = createHash("sha256").update(JSON.stringify(ingredients)).digest("hex").slice(0, 16);
  const folder = join(cacheFolder, `${kind}-${key}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await make(partial);
    // Another process may have been faster; its folder holds the same.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

/** Name and digest of every file below a folder, to serve as an ingredient. */
export async function ingredientsOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.toSorted().map(async (path) => {
      const digest = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      return `${relative(folder, path)} ${digest}`;
    }),
  );
}
