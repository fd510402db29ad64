/** Packages of the operating system: pinned for a lock, fetched into the store, packed as files of a bundle. */
import type { Digest, PackageEntry, Platform } from "#bundle";
import { roles } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { LockedPackage } from "../../lock/lock.ts";
import type { NodeFile } from "../../render/node-file.ts";
import { HttpClient, type HttpSettings } from "../http-client.ts";
import type { BlobStore } from "../image-source.ts";
import { allOf } from "../together.ts";
import { fetchDebs, resolveDebs } from "./apt.ts";
import type { PackageRequest } from "./request.ts";
import { fetchRpm, resolveRpms } from "./rpm.ts";

/** Where packages lie on a node until the transaction is undone. */
export const packageFolder = "/var/lib/kubeferry/packages";

export interface PackageContext {
  readonly platforms: readonly Platform[];
  /** Folder for apt's private state and repositories' metadata, `<cache>/packages`. */
  readonly state: string;
  /** For rpm repositories; apt has the settings of this machine. */
  readonly http: HttpSettings;
  readonly signal?: AbortSignal | undefined;
}

/** Every request with its complete closure, in the order of installation within each distribution. */
export async function resolvePackages(
  requests: readonly PackageRequest[],
  context: PackageContext,
): Promise<LockedPackage[]> {
  await using http = new HttpClient(context.http, context.signal);
  const all: LockedPackage[] = [];
  for (const request of requests) {
    if (request.names.length === 0) continue;
    const debian = isDebian(request.distribution);
    all.push(...(await (debian ? resolveDebs(request, context) : resolveRpms(request, { ...context, http }))));
  }
  return all;
}

/** Brings locked packages into the store; those that are there are not asked for again. OFFLINE names all that are not. */
export async function fetchPackages(
  locked: readonly LockedPackage[],
  requests: readonly PackageRequest[],
  context: PackageContext & { readonly store: BlobStore; readonly offline?: boolean },
): Promise<void> {
  const wanted: LockedPackage[] = [];
  for (const one of locked) if (!(await context.store.has(digestOfLocked(one)))) wanted.push(one);
  if (wanted.length === 0) return;
  if (context.offline === true) {
    throw allOf(
      wanted.map(
        ({ name, version, distribution }) =>
          new ExpectedError("OFFLINE", "not cached, and --offline is set", {
            where: `package ${name} ${version} of ${distribution}`,
            hint: "run kubeferry fetch once without --offline",
          }),
      ),
    );
  }
  await using http = new HttpClient(context.http, context.signal);
  for (const one of wanted) if (one.format === "rpm") await fetchRpm(one, context.store, http);
  for (const request of requests) {
    const debs = wanted.filter((one) => one.format === "deb" && one.distribution === request.distribution);
    for (const platform of context.platforms) {
      const architecture = platform.slice("linux/".length);
      const own = debs.filter((one) => one.architecture === architecture || one.architecture === "all");
      const missing: LockedPackage[] = [];
      for (const one of own) if (!(await context.store.has(digestOfLocked(one)))) missing.push(one);
      if (missing.length > 0) await fetchDebs(missing, request, platform, context);
    }
  }
}

/**
 * What goes into the index and onto the nodes: every role gets the packages of its platform. Files are numbered in the
 * order in which packages want to be unpacked (a package's Pre-Depends first), so that their sorted names keep it.
 */
export function packPackages(locked: readonly LockedPackage[]): { entries: PackageEntry[]; files: NodeFile[] } {
  const entries: PackageEntry[] = [];
  const files: NodeFile[] = [];
  for (const [place, one] of locked.entries()) {
    const { name, version, architecture, format, distribution } = one;
    const file = `${String(place + 1).padStart(4, "0")}-${name}_${version.replaceAll(":", "%3a")}_${architecture}.${format}`;
    const path = `${packageFolder}/${distribution.replaceAll(/[^\w.-]+/g, "-")}/${file}`;
    const platforms = platformsOf(architecture);
    const selector = { roles: [...roles], ...(platforms === null ? {} : { platforms }) };
    entries.push({ name, version, architecture, format, distribution, path, for: selector });
    files.push({
      path,
      mode: "0644",
      owner: "0:0",
      content: { digest: digestOfLocked(one), size: one.size },
      sensitive: false,
      for: selector,
      origin: { from: "artifact", url: one.resolved, digest: one.digest, pinnedBy: "distribution", version },
    });
  }
  return { entries, files };
}

function isDebian(distribution: string): boolean {
  return /^(debian|ubuntu|linuxmint|raspbian|kylin-desktop)\b/.test(distribution);
}

function platformsOf(architecture: string): Platform[] | null {
  if (architecture === "amd64" || architecture === "x86_64") return ["linux/amd64"];
  if (architecture === "arm64" || architecture === "aarch64") return ["linux/arm64"];
  return null;
}

function digestOfLocked(locked: LockedPackage): Digest {
  return locked.digest.slice("sha256:".length) as Digest;
}
