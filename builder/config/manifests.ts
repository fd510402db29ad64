/**
 * The data in `manifests/`, by path below it. From source it is read from the folder; `scripts/bundle.ts`
 * replaces this module with one that holds the folder's files, so that `dist/kubeferry` needs nothing beside it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const folder = join(import.meta.dirname, "../../manifests");

/** Text of one file, `releases/distro.yaml`; undefined when there is none. */
export function readManifest(path: string): string | undefined {
  try {
    return readFileSync(join(folder, path), "utf8");
  } catch {
    return undefined;
  }
}

/** Paths of the files below a folder of `manifests/`, sorted. */
export function listManifests(below: string): string[] {
  return readdirSync(join(folder, below), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}
