/** Debian packages and all they depend on, beyond a declared base, resolved by apt itself. */
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { LockedPackage } from "../../lock/lock.ts";
import type { Store } from "../../store/store.ts";
import { type AptState, openAptState } from "./state.ts";
import { basePackages } from "../../config/base-packages.ts";
import { parseStanzas, type Stanza } from "./control.ts";
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
    const state = await openAptState(request, platform, context.state);
    for (const locked of await closure(state, request, base)) {
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
  const { store } = context;
  const state = await openAptState(request, platform, context.state);
  const folder = await mkdtemp(join(state.folder, "download-"));
  try {
    await state.run("apt-get", ["download", "-q", ...locked.map(specOf)], folder);
    const files = await readdir(folder);
    for (const one of locked) {
      const name = `${one.name}_${one.version.replaceAll(":", "%3a")}_${one.architecture}.deb`;
      if (!files.includes(name)) {
        const where = `packages of ${request.distribution}`;
        throw new ExpectedError("PACKAGE_UNAVAILABLE", `apt gave no ${name}`, { where });
      }
      const file = await open(join(folder, name));
      await store.put(file.createReadStream(), { digest: one.digest.slice("sha256:".length), size: one.size });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function closure(state: AptState, request: PackageRequest, base: Map<string, string>): Promise<LockedPackage[]> {
  await state.setInstalled(await statusOf(state, base));
  const names = [...new Set(request.names)];
  requireNames(names);
  const plan = await state.run("apt-get", ["install", "--simulate", "-y", "-q", "--", ...names]);
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
  if (chosen.length === 0) return [];
  const specs = chosen.map(({ name, version }) => `${name}=${version}`);
  const stanzas = parseStanzas(await state.run("apt-cache", ["show", ...specs]));
  return chosen.map(({ name, version }) => {
    const stanza = stanzas.find((one) => one.get("package") === name && one.get("version") === version);
    return lockedOf(request, name, version, stanza);
  });
}

/**
 * dpkg's status of a host that has just the base. Dependencies are left out: the base is complete by itself, and its
 * versions may be older than those whose stanzas the index has.
 */
async function statusOf(state: AptState, base: Map<string, string>): Promise<string> {
  const names = [...base.keys()];
  requireNames(names);
  const known = parseStanzas(await state.run("apt-cache", ["show", "--no-all-versions", ...names]));
  const stanzas = names.map((name) => {
    const found = known.find((stanza) => stanza.get("package") === name);
    const fields = [
      ["Package", name],
      ["Status", "install ok installed"],
      ["Version", base.get(name) ?? found?.get("version")],
      ["Architecture", found?.get("architecture") ?? state.architecture],
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

function lockedOf(request: PackageRequest, name: string, version: string, stanza: Stanza | undefined): LockedPackage {
  const digest = stanza?.get("sha256") ?? "";
  const size = Number(stanza?.get("size"));
  const architecture = stanza?.get("architecture") ?? "";
  if (!/^[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size) || architecture === "") {
    throw new ExpectedError("PACKAGE_UNAVAILABLE", `the index has no SHA256 and size for ${name} ${version}`, {
      where: `packages of ${request.distribution}`,
    });
  }
  return {
    name,
    version,
    architecture,
    format: "deb",
    distribution: request.distribution,
    resolved: `apt:${name}=${version}`,
    digest: `sha256:${digest}`,
    size,
    wanted: request.names.includes(name),
  };
}

function requireNames(names: readonly string[]): void {
  const odd = names.find((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name));
  if (odd === undefined) return;
  throw new ExpectedError("CONFIG_INVALID", `"${odd}" is not the name of a Debian package`, {
    where: "packages: in cluster.yaml",
  });
}

function specOf(locked: LockedPackage): string {
  return locked.architecture === "all"
    ? `${locked.name}=${locked.version}`
    : `${locked.name}:${locked.architecture}=${locked.version}`;
}
