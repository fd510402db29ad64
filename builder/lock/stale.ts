/** What a cluster asks for, held against what its lock was made for. */
import { digestOf, type Platform } from "#bundle";
import { type ErrorProblem, ExpectedError } from "#cli/errors";
import type { ClusterConfig } from "../config/cluster.ts";
import type { ReleaseManifest } from "../config/release.ts";
import { baseText } from "../config/base-packages.ts";
import type { Lock, PackageAsked } from "./lock.ts";
import { neededComponents, neededImages } from "./needed.ts";

/** What a lock must have been made for: what `loadClusterAndRelease` gives. */
export interface LockTarget {
  readonly cluster: ClusterConfig;
  readonly manifest: ReleaseManifest;
  /** Of the release manifest's bytes. */
  readonly digest: string;
}

/** LOCK_STALE, naming every difference, when the lock at `path` is not of what `config` (cluster.yaml) now asks for. */
export async function checkLock(lock: Lock, target: LockTarget, path: string, config: string): Promise<void> {
  const problems = staleParts(lock, target, await packagesAsked(target.cluster));
  if (problems.length === 0) return;
  throw new ExpectedError("LOCK_STALE", "the lock is of something else than is asked for now", {
    where: path,
    problems,
    hint: `see what would change, and take it: kubeferry lock --update ${config}`,
  });
}

/** What `packages:` asks for, in the form that a lock keeps. CONFIG_UNREADABLE for a base that cannot be read. */
export async function packagesAsked({ packages }: ClusterConfig): Promise<PackageAsked[]> {
  return Promise.all(
    packages.map(async (request) => ({
      distribution: request.distribution,
      names: request.names,
      repositories: (request.repositories ?? []).map(({ url, suite, components = [] }) =>
        [url, ...(suite === undefined ? [] : [suite]), ...components].join(" "),
      ),
      ...(request.base !== undefined && { base: `sha256:${digestOf(await baseText(request))}` }),
    })),
  );
}

/** Every difference, in an order that explains the later ones: with another release all artifacts differ too, unsaid. */
function staleParts(lock: Lock, target: LockTarget, packages: readonly PackageAsked[]): ErrorProblem[] {
  const { cluster, manifest, digest } = target;
  const release = differences(
    new Map([
      ["release", lock.release],
      ["release manifest", lock.manifest],
    ]),
    new Map([
      ["release", manifest.release],
      ["release manifest", digest],
    ]),
  );
  const platforms = differences(
    new Map([["platforms", lock.platforms.toSorted().join(", ")]]),
    new Map([["platforms", cluster.platforms.toSorted().join(", ")]]),
  );
  // Artifacts and images of a platform that only one of the two has are all different, unsaid.
  const shared = cluster.platforms.filter((platform) => lock.platforms.includes(platform));
  const parts =
    release.length > 0 ? [] : differences(lockedParts(lock, shared), neededParts(cluster, manifest, shared));
  return [...release, ...platforms, ...parts, ...differences(packageParts(lock.requests), packageParts(packages))];
}

type Parts = ReadonlyMap<string, string>;

function differences(locked: Parts, asked: Parts): ErrorProblem[] {
  const names = [...new Set([...asked.keys(), ...locked.keys()])];
  return names
    .filter((name) => locked.get(name) !== asked.get(name))
    .map((name) => {
      const [was, is] = [locked.get(name), asked.get(name)];
      if (was === undefined) return { where: name, message: `asked for${tell(is)}, not in the lock` };
      if (is === undefined) return { where: name, message: `in the lock${tell(was)}, no longer asked for` };
      return { where: name, message: `asked for${tell(is)}, in the lock${tell(was)}` };
    });
}

function tell(value: string | undefined): string {
  return value === undefined || value === "" ? "" : ` ${value}`;
}

function lockedParts({ artifacts, images }: Lock, platforms: readonly Platform[]): Parts {
  return new Map<string, string>([
    ...artifacts
      .filter(({ platform }) => platforms.includes(platform))
      .map((one): [string, string] => artifactPart(one.component, one)),
    ...images.filter(({ platform }) => platforms.includes(platform)).map((one): [string, string] => imagePart(one)),
  ]);
}

function neededParts(cluster: ClusterConfig, manifest: ReleaseManifest, platforms: readonly Platform[]): Parts {
  return new Map<string, string>([
    ...neededComponents(cluster, manifest).flatMap(({ name, artifacts }) =>
      artifacts
        .filter(({ platform }) => platforms.includes(platform))
        .map((artifact): [string, string] => artifactPart(name, artifact)),
    ),
    ...platforms.flatMap((platform) =>
      neededImages(cluster, manifest, platform).map((image): [string, string] => imagePart(image)),
    ),
  ]);
}

function artifactPart(component: string, { platform, from }: { platform: string; from: string }): [string, string] {
  return [`${component} ${platform} ${from}`, ""];
}

function imagePart(one: { name: string; platform: string; from?: string | undefined }): [string, string] {
  return [`image ${one.name} ${one.platform}`, one.from === undefined ? "" : `from ${one.from}`];
}

function packageParts(requests: readonly PackageAsked[]): Parts {
  return new Map(
    requests.flatMap(({ distribution, names, repositories, base }): [string, string][] => [
      ...names.map((name): [string, string] => [`package ${name} of ${distribution}`, ""]),
      [`repositories of ${distribution}`, repositories.join(", ") || "this machine's own sources"],
      ...(base === undefined ? [] : [[`base of ${distribution}`, base] satisfies [string, string]]),
    ]),
  );
}
