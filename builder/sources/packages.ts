/** Packages of the operating system: pinned for a lock, fetched into the store. */
import type { Digest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { LockedPackage } from "../lock/lock.ts";
import { HttpClient } from "../http/client.ts";
import type { Store } from "../store/store.ts";
import { allOf } from "../together.ts";
import { fetchDebs, resolveDebs } from "./apt/packages.ts";
import type { PackageContext } from "./package-context.ts";
import type { PackageRequest } from "../config/cluster.ts";
import { fetchRpm, resolveRpms } from "./rpm/packages.ts";

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
  context: PackageContext & { readonly store: Store; readonly offline?: boolean },
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

function isDebian(distribution: string): boolean {
  return /^(debian|ubuntu|linuxmint|raspbian|kylin-desktop)\b/.test(distribution);
}

function digestOfLocked(locked: LockedPackage): Digest {
  return locked.digest.slice("sha256:".length) as Digest;
}
