/** Debian packages and all they depend on, beyond a declared base, resolved by apt itself. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { LockedPackage } from "../../lock/lock.ts";
import type { Store } from "../../store/store.ts";
import { parseOsRelease } from "#formats/os-release";
import { basePackages } from "../../config/base-packages.ts";
import { type AptRecord, openPrivateApt, type PrivateApt } from "./private-apt.ts";
import type { PackageRequest } from "../../config/cluster.ts";
import type { PackageContext } from "../package-context.ts";

/**
 * The complete closure for every platform, in the order in which apt would unpack it. PACKAGE_UNAVAILABLE names what
 * apt cannot find; SIGNATURE_INVALID is a repository whose signature does not hold.
 */
export async function resolveDebs(request: PackageRequest, context: PackageContext): Promise<LockedPackage[]> {
  const base = await basePackages(request);
  const found = new Map<string, LockedPackage>();
  for (const platform of context.platforms) {
    for (const locked of await closure(await aptFor(request, platform, context.state), request, base)) {
      const key = `${locked.name} ${locked.version} ${locked.architecture}`;
      if (!found.has(key)) found.set(key, locked);
    }
  }
  return [...found.values()];
}

/** Downloads locked packages of one platform by apt into the store, which checks the lock's digests and sizes. */
export async function fetchDebs(
  locked: readonly LockedPackage[],
  request: PackageRequest,
  platform: Platform,
  context: { readonly state: string; readonly store: Store },
): Promise<void> {
  const apt = await aptFor(request, platform, context.state);
  await apt.download(locked, async (pathOf) => {
    for (const one of locked) {
      const expected = { digest: one.digest.slice("sha256:".length), size: one.size };
      await context.store.put(createReadStream(pathOf(one)), expected);
    }
  });
}

/** apt with the repositories of a request, or this machine's own; its signed indexes are fresh. */
async function aptFor(request: PackageRequest, platform: Platform, state: string): Promise<PrivateApt> {
  const { distribution, repositories = [] } = request;
  const architecture = platform.slice("linux/".length);
  const folder = resolve(state, `apt-${distribution.replaceAll(/[^\w.-]+/g, "-")}-${architecture}`);
  if (repositories.length === 0) await requireSameDistribution(distribution);
  const sources = repositories.length === 0 ? undefined : repositories.map(sourceStanza).join("\n");
  const apt = await openPrivateApt({ folder, architecture, sources, about: `packages of ${distribution}` });
  await apt.update();
  return apt;
}

async function closure(apt: PrivateApt, request: PackageRequest, base: Map<string, string>): Promise<LockedPackage[]> {
  await apt.setInstalled(await statusOf(apt, base));
  const names = [...new Set(request.names)];
  requireNames(names);
  const plan = await apt.run("apt-get", ["install", "--simulate", "-y", "-q", "--", ...names]);
  const removed = [...plan.matchAll(/^Remv (\S+)/gm)].map((match) => match[1]);
  if (removed.length > 0) {
    const message = `${names.join(", ")} cannot be had beside the declared base: apt would remove ${removed.join(", ")}`;
    throw new ExpectedError("PACKAGE_UNAVAILABLE", message, { where: `packages of ${request.distribution}` });
  }
  const chosen = [...plan.matchAll(/^Inst (\S+?)(?::\w+)? (?:\[\S+\] )?\((\S+) /gm)].map(
    ([, name = "", version = ""]) => ({
      name,
      version,
    }),
  );
  const records = await apt.show(chosen);
  return chosen.map(({ name, version }, index) => lockedOf(request, `${name} ${version}`, records[index]));
}

/**
 * dpkg's status of a host that has just the base. Dependencies are left out: the base is complete by itself, and its
 * versions may be older than those whose stanzas the index has.
 */
async function statusOf(apt: PrivateApt, base: Map<string, string>): Promise<string> {
  const names = [...base.keys()];
  requireNames(names);
  const known = await apt.stanzas(names, "--no-all-versions");
  const stanzas = names.map((name) => {
    const found = known.find((stanza) => stanza.get("package") === name);
    const fields = [
      ["Package", name],
      ["Status", "install ok installed"],
      ["Version", base.get(name) ?? found?.get("version")],
      ["Architecture", found?.get("architecture") ?? apt.architecture],
      ["Essential", found?.get("essential")],
      ["Multi-Arch", found?.get("multi-arch")],
      ["Provides", found?.get("provides")],
      ["Conflicts", found?.get("conflicts")],
      ["Breaks", found?.get("breaks")],
      ["Maintainer", "the declared base"],
      ["Description", "part of the declared base"],
    ];
    return fields
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([key, value]) => `${key}: ${value}`)
      .join("\n");
  });
  return `${stanzas.join("\n\n")}\n`;
}

function lockedOf(request: PackageRequest, what: string, record: AptRecord | undefined): LockedPackage {
  const { distribution, names } = request;
  if (record === undefined) {
    const where = `packages of ${distribution}`;
    throw new ExpectedError("PACKAGE_UNAVAILABLE", `the index has no SHA256 and size for ${what}`, { where });
  }
  const { name, version, architecture, digest, size } = record;
  const resolved = `apt:${name}=${version}`;
  const wanted = names.includes(name);
  return { name, version, architecture, format: "deb", distribution, resolved, digest, size, wanted };
}

function requireNames(names: readonly string[]): void {
  const odd = names.find((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name));
  if (odd === undefined) return;
  throw new ExpectedError("CONFIG_INVALID", `"${odd}" is not the name of a Debian package`, {
    where: "packages: in cluster.yaml",
  });
}

function sourceStanza(repository: NonNullable<PackageRequest["repositories"]>[number]): string {
  const { url, suite, components, key } = repository;
  if (key === undefined || suite === undefined) {
    throw new ExpectedError("CONFIG_INVALID", "an apt repository wants its suite and the key that signs it", {
      where: url,
      hint: "repositories: [{ url: …, suite: bookworm, components: [main], key: /usr/share/keyrings/….gpg }]",
    });
  }
  const values = [url, suite, ...(components ?? ["main"]), key];
  const odd = values.find((value) => /[\s"]/.test(value) || value === "");
  if (odd !== undefined)
    throw new ExpectedError("CONFIG_INVALID", `"${odd}" cannot stand in an apt source`, { where: url });
  const fields = [
    "Types: deb",
    `URIs: ${url}`,
    `Suites: ${suite}`,
    `Components: ${(components ?? ["main"]).join(" ")}`,
    `Signed-By: ${resolve(key)}`,
  ];
  return `${fields.join("\n")}\n`;
}

async function requireSameDistribution(expected: string): Promise<void> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const { id, version } = parseOsRelease(text);
  const found = `${id} ${version}`.trim();
  if (found === expected) return;
  throw new ExpectedError("PACKAGE_UNAVAILABLE", "this machine's package sources are those of another distribution", {
    where: "packages: in cluster.yaml",
    expected,
    found: found === "" ? "no os-release" : found,
    hint: `name the repositories of ${expected} as repositories: beside names:, or build on a ${expected} machine`,
  });
}
