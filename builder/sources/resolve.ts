/** `lock`: from a release to exact bytes. For every artifact that the cluster needs: from → resolved → digest, size. */
import type { Platform } from "#bundle";
import { type ErrorProblem, ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { ClusterConfig } from "../config/cluster.ts";
import type { Artifact, Component, ReleaseManifest } from "../config/release.ts";
import type { AptRecord } from "./apt/private-apt.ts";
import { createSources } from "./open.ts";
import { HttpClient, type HttpSettings } from "../http/client.ts";
import { debianArchitecture, parseSource } from "./address.ts";
import { Store } from "../store/store.ts";
import { forEachOf } from "../together.ts";
import type { Lock, LockedArtifact } from "../lock/lock.ts";
import { neededComponents } from "../lock/needed.ts";
import { pin, type Unpinned } from "./pin.ts";
import type { PlaceOptions } from "./places.ts";
import type { PinContext } from "./published.ts";

export interface ResolveOptions extends PlaceOptions {
  readonly cluster: ClusterConfig;
  readonly manifest: ReleaseManifest;
  /** SHA-256 of the manifest's bytes. */
  readonly manifestDigest: string;
  /** Its day goes into the lock. */
  readonly now: Date;
  /** The store's folder. */
  readonly cache: string;
  /** `--from`: a folder of what the operator fetched by hand. */
  readonly folder?: string | undefined;
  /** Pin what nobody published by downloading it once; the lock says so. */
  readonly trustFirstUse?: boolean | undefined;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  readonly http?: HttpSettings | undefined;
}

interface Needed {
  readonly component: Component;
  readonly artifact: Artifact;
}

/**
 * The lock of a cluster: its artifacts (images and packages are resolved by others). PIN_MISSING names every artifact
 * without a digest at once; PACKAGE_UNAVAILABLE, TOOL_MISSING and codes of exit 4 come from where digests are asked for.
 */
export async function resolveLock(options: ResolveOptions): Promise<Lock> {
  const { cluster, manifest, manifestDigest, now, mirrors, offline, reporter, signal } = options;
  const store = await Store.open(options.cache);
  await using http = new HttpClient(options.http, signal);
  const sources = createSources(store, http);
  const trustFirstUse = options.trustFirstUse ?? false;
  const silent = new Set<string>();
  const context: PinContext = {
    store,
    sources,
    mirrors,
    offline,
    trustFirstUse,
    silent,
    signers: manifest.signers ?? {},
    lists: new Map(),
    folder: options.folder,
    reporter,
    signal,
  };
  const needed = neededArtifacts(cluster, manifest);
  const packaged = needed.filter(({ artifact }) => parseSource(artifact.from).kind === "apt");
  const others = needed.filter((one) => !packaged.includes(one));
  const pinned = await forEachOf(others, 4, (one) => pin(one.component, one.artifact, context));
  refuseUnpinned(pinned);
  const artifacts = [...(await resolvePackages(packaged, context)), ...pinned.filter((one) => "digest" in one)];
  return {
    version: 1,
    release: manifest.release,
    manifest: manifestDigest,
    platforms: cluster.platforms.toSorted(),
    locked: now.toISOString().slice(0, 10),
    artifacts: artifacts.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
    images: [],
    packages: [],
    requests: [],
  };
}

/** Every artifact for every platform; refuses, all at once, components that a platform has none for. */
function neededArtifacts(cluster: ClusterConfig, manifest: ReleaseManifest): Needed[] {
  const missing: ErrorProblem[] = [];
  const needed = neededComponents(cluster, manifest).flatMap((component) =>
    cluster.platforms.flatMap((platform) => {
      const artifacts = component.artifacts.filter((artifact) => artifact.platform === platform);
      if (artifacts.length === 0) {
        const message = component.unavailable[platform] ?? "the release has none";
        missing.push({ where: `${component.name} ${platform}`, message });
      }
      return artifacts.map((artifact) => ({ component, artifact }));
    }),
  );
  if (missing.length === 0) return needed;
  throw new ExpectedError("PIN_MISSING", "the release cannot be had for this platform", {
    problems: missing,
    where: `release ${manifest.release}`,
    hint: "take the platform out of `platforms:` in cluster.yaml, or add an artifact to a release manifest of your own",
  });
}

async function resolvePackages(needed: readonly Needed[], context: PinContext): Promise<LockedArtifact[]> {
  const locked: LockedArtifact[] = [];
  for (const platform of new Set(needed.map(({ artifact }) => artifact.platform))) {
    const here = needed.filter(({ artifact }) => artifact.platform === platform);
    if (context.offline) throw offline(here);
    const wanted = here.map(({ artifact }) => packageOf(artifact));
    const records = await context.sources.apt.resolve({ architecture: debianArchitecture(platform), wanted });
    for (const [index, { component, artifact }] of here.entries()) {
      const record = records[index];
      if (record === undefined) throw new Error("apt resolved fewer packages than were asked for");
      locked.push(lockedPackage(component.name, artifact, platform, record));
    }
  }
  return locked;
}

function lockedPackage(component: string, artifact: Artifact, platform: Platform, record: AptRecord): LockedArtifact {
  if (artifact.digest !== undefined && artifact.digest !== record.digest) {
    throw new ExpectedError("DIGEST_MISMATCH", "the distribution has another package than the release pins", {
      where: `${artifact.from} ${platform}`,
      expected: artifact.digest,
      found: record.digest,
    });
  }
  return {
    component,
    version: record.version,
    platform,
    from: artifact.from,
    resolved: `apt:${record.name}=${record.version}`,
    mirrors: artifact.mirrors,
    digest: record.digest,
    size: record.size,
    pinnedBy: "distribution",
    files: artifact.files,
  };
}

function packageOf(artifact: Artifact): { package: string; version: string | null } {
  const source = parseSource(artifact.from);
  if (source.kind !== "apt") throw new Error(`not a package: ${artifact.from}`);
  return { package: source.package, version: source.version };
}

function refuseUnpinned(pinned: readonly (LockedArtifact | Unpinned)[]): void {
  const unpinned = pinned.filter((one) => "why" in one);
  if (unpinned.length === 0) return;
  const problems = unpinned.map(({ component, platform, from, why }) => ({
    where: `${component} ${platform}`,
    message: `${from}\n    ${why}`,
  }));
  const count = unpinned.length === 1 ? "one artifact has" : `${unpinned.length} artifacts have`;
  throw new ExpectedError("PIN_MISSING", `${count} no digest that anybody published`, {
    problems,
    where: unpinned[0]?.from,
    hint: "put `digest: sha256:…` into a copy of the release manifest and give its path, or: kubeferry lock cluster.yaml --trust-first-use",
  });
}

function offline(needed: readonly Needed[]): ExpectedError {
  return new ExpectedError("OFFLINE", "the distribution's index is not cached, and --offline is set", {
    where: needed.map(({ artifact }) => artifact.from).join(", "),
    hint: "run kubeferry lock once without --offline; the lock is then good for builds without network",
  });
}

function orderOf(one: LockedArtifact): string {
  return `${one.component} ${one.platform} ${one.from}`;
}
