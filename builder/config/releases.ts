/** Finds and reads release manifests: by name in `manifests/releases`, or by path. */
import { readFile } from "node:fs/promises";
import { digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import { compareVersions } from "#formats/version";
import { proposal } from "./explain.ts";

import { listManifests, readManifest } from "./manifests.ts";
import { type ReleaseManifest, releaseManifest } from "./release.ts";
import { findSeries, listSeries, manifestOf } from "./series.ts";
import { loadYaml } from "./yaml-file.ts";

export interface LoadedRelease {
  readonly manifest: ReleaseManifest;
  /** SHA-256 of the manifest's bytes, 64 hex digits: the lock holds it. */
  readonly digest: string;
}

/** Names of the releases that come with Kubeferry, sorted by name and then by version; of a series the newest patch. */
export function listReleases(): string[] {
  const written = listManifests("releases").flatMap((path) => /^releases\/([^/]+)\.yaml$/.exec(path)?.[1] ?? []);
  const made = listSeries().map((minor) => `kubernetes-${minor}`);
  return [...new Set([...written, ...made])].toSorted(compareVersions);
}

/** The newest Kubernetes among them: what `init` proposes. */
export function newestRelease(): string {
  return listReleases().findLast((name) => name.startsWith("kubernetes-")) ?? "";
}

/** Whether a release is named by the path of a YAML file: anything with a `/`, or ending in .yaml or .yml. */
export function isReleasePath(nameOrPath: string): boolean {
  return nameOrPath.includes("/") || /\.ya?ml$/.test(nameOrPath);
}

/**
 * A release by name (`kubernetes-1.36`, or a patch, `kubernetes-1.33.12`) or by the path of a YAML file.
 * Throws RELEASE_UNKNOWN, which lists what there is; RELEASE_INVALID or CONFIG_SYNTAX with every problem of the file.
 */
export async function loadRelease(nameOrPath: string): Promise<LoadedRelease> {
  const loaded = isReleasePath(nameOrPath)
    ? await read(nameOrPath, await readOwn(nameOrPath))
    : await loadNamed(nameOrPath);
  if (loaded !== null) return loaded;
  const known = listReleases();
  throw new ExpectedError("RELEASE_UNKNOWN", `there is no release ${nameOrPath}${proposal(nameOrPath, known)}`, {
    expected: `one of ${known.join(", ")}, or the path of a release manifest`,
    found: nameOrPath,
    hint: "kubeferry releases",
  });
}

async function loadNamed(name: string): Promise<LoadedRelease | null> {
  const written = await loadWritten(name);
  const found = findSeries(name);
  if (found === null) return written ?? (await ownPatch(name));
  const { like } = found.series;
  // Its name stands for the newest patch, as that of a series does; a series beside it is of upstream's own programs.
  if (written !== null && (like !== name || compareVersions(written.manifest.kubernetes ?? "", found.version) >= 0))
    return written;
  const base = await loadWritten(like);
  return base === null ? null : made(manifestOf(name, base.manifest, found));
}

/** The patch that a manifest was written for, by its whole version. */
async function ownPatch(name: string): Promise<LoadedRelease | null> {
  const written = await loadWritten(name.replace(/\.\d+$/, ""));
  return written !== null && name === `kubernetes-${written.manifest.kubernetes}`
    ? made({ ...written.manifest, release: name })
    : null;
}

function made(manifest: ReleaseManifest): LoadedRelease {
  return { manifest, digest: digestOf(JSON.stringify(manifest)) };
}

async function loadWritten(name: string): Promise<LoadedRelease | null> {
  const path = `releases/${name}.yaml`;
  return read(`manifests/${path}`, listManifests("releases").includes(path) ? readManifest(path) : undefined);
}

/** Null where there is no such file. */
async function read(where: string, text: string | undefined): Promise<LoadedRelease | null> {
  if (text === undefined) return null;
  return {
    manifest: await loadYaml(where, releaseManifest, text, { invalid: "RELEASE_INVALID" }),
    digest: digestOf(text),
  };
}

async function readOwn(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ExpectedError("CONFIG_UNREADABLE", `cannot read ${path}: ${whyUnreadable(cause)}`, {
      where: path,
      cause,
      hint: "kubeferry releases",
    });
  }
}
