/**
 * The data of the builder: `manifests/`, and templates and scripts of components. From source they are read from their
 * folders; `scripts/compile.ts` replaces this module with one that holds them, so that `dist/kubeferry` needs nothing beside it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Text of one file by its path in the project, `manifests/releases/distro.yaml`; undefined when there is none. */
export function readSource(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

/** {@link readSource} by the path below `manifests/`. */
export function readManifest(path: string): string | undefined {
  return readSource(`manifests/${path}`);
}

/** Paths below `manifests/` of the files below one of its folders, sorted. */
export function listManifests(below: string): string[] {
  return filesBelow(`manifests/${below}`).map((path) => path.slice("manifests/".length));
}

/** Paths in the project of components' templates and scripts, sorted. */
export function listTemplates(): string[] {
  return filesBelow("builder/components").filter((path) => /\.(ejs|sh)$/.test(path));
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}
