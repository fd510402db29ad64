/** Newer patch releases of what releases pin, by the checksum files that upstream publishes beside each. */
import { isExpected } from "#cli/errors";
import { parseVersion } from "#formats/version";
import type { ReleaseManifest } from "../config/release.ts";
import type { HttpClient } from "../http/client.ts";
import { fileAt, readWhole } from "../http/read.ts";
import { largestChecksumFile } from "./published.ts";

/** A component's version that releases carry, and what upstream has beyond it. */
export interface Pinned {
  readonly component: string;
  readonly version: string;
  /** Upstream's checksum file of this version; null: none that names the version, so nobody can be asked. */
  readonly url: string | null;
  /** Names of the releases that carry it. */
  readonly releases: readonly string[];
}

/** Patch releases that upstream left out, after which it is not asked for more. */
const mostGaps = 2;

/** Every version that one of the releases takes by itself, each once; alternatives are the operator's choice. */
export function pinnedVersions(manifests: readonly ReleaseManifest[]): Pinned[] {
  const found = new Map<string, Pinned>();
  for (const { release, components } of manifests) {
    for (const { name, version, artifacts } of components) {
      if (version === undefined || parseVersion(version) === null) continue;
      const urls = artifacts.flatMap(({ checksum, published }) => [checksum, published]);
      const url = urls.find((one) => one !== undefined && /^https?:/.test(one) && one.includes(version)) ?? null;
      const key = `${name} ${version}`;
      const known = found.get(key);
      const releases = [...(known?.releases ?? []), release];
      found.set(key, { component: name, version, url: known?.url ?? url, releases });
    }
  }
  return [...found.values()];
}

/** The newest patch of the same minor that upstream publishes a checksum file of; the version itself where that is none. */
export async function newestPatch(
  { version, url }: Pick<Pinned, "version" | "url">,
  http: HttpClient,
): Promise<string> {
  const parsed = parseVersion(version);
  if (url === null || parsed === null) return version;
  const { major, minor, patch } = parsed;
  let newest = version;
  for (let next = patch + 1, gaps = 0; gaps <= mostGaps; next += 1) {
    const candidate = `${major}.${minor}.${next}`;
    if (await isThere(url.replaceAll(version, candidate), http)) [newest, gaps] = [candidate, 0];
    else gaps += 1;
  }
  return newest;
}

/** A server that cannot be asked, or answers otherwise than yes and no, is an error: silence is no "nothing newer". */
async function isThere(url: string, http: HttpClient): Promise<boolean> {
  try {
    await readWhole(fileAt(url, http), { what: url, limit: largestChecksumFile });
    return true;
  } catch (error) {
    if (isExpected(error, "NOT_FOUND")) return false;
    throw error;
  }
}
