/** Packs a rendered cluster into one bundle file, and checks it with the node's own code before it gets its name. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type BundleIndex,
  type Digest,
  type ImageEntry,
  type PackageEntry,
  type Platform,
  type TarMember,
  blobPath,
  digestFile,
  digestOf,
  encodeIndex,
  encodeSums,
  indexPath,
  installerName,
  memberDigest,
  openBundle,
  problemError,
  sumsPath,
  verifyBundle,
  writeTar,
  writeBeside,
} from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";
import type { Reporter } from "#cli/reporter";
import { readElf } from "#formats/elf";
import type { Lock } from "../lock/lock.ts";
import type { Rendered } from "../render/node-file.ts";
import { type Frame, compressGroups } from "./compress.ts";
import type { ContentStore } from "./content-store.ts";
import { groupContents } from "./groups.ts";
import { componentsOf, indexOf } from "./index-of.ts";
import type { ClusterKeys } from "./keys.ts";
import { outputPath } from "./output.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { SigningKey } from "../sign/secret-key.ts";
import { signatureMembers } from "../sign/sign.ts";
import { readmeText } from "./readme.ts";
import { packSecrets } from "./secrets.ts";

export interface Installers {
  /** The POSIX sh launcher. */
  readonly launcher: string;
  readonly executables: Readonly<Partial<Record<Platform, string>>>;
  /** The CommonJS file that they are made of. */
  readonly code: string;
  /** `2.28`: the oldest glibc that each runs with, as far as it says. */
  readonly glibc: Readonly<Partial<Record<Platform, string>>>;
}

export interface PackOptions {
  readonly rendered: Rendered;
  readonly lock: Lock;
  readonly store: ContentStore;
  readonly cluster: BundleIndex["cluster"];
  /** Kubernetes' version; null for a release that has none. */
  readonly kubernetes: string | null;
  readonly installers: Installers;
  /** Those that the operator gave. */
  readonly runtimes?: readonly Runtime[];
  /** Null: `--plaintext-secrets`. */
  readonly keys: ClusterKeys | null;
  /** The new file; a directory, or a path that ends in `/`, gets the default name. See output.ts for what is replaced. */
  readonly output: string;
  /** Replaces also a signed bundle of the same content. */
  readonly force?: boolean;
  /** `kubeferry 0.1.0` */
  readonly producer: string;
  readonly images?: readonly ImageEntry[];
  readonly packages?: readonly PackageEntry[];
  /** zstd's level; 3 where none is given. */
  readonly level?: number | undefined;
  /** Keys that sign it. */
  readonly sign?: readonly SigningKey[];
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
}

export interface Packed {
  readonly path: string;
  readonly payloadDigest: Digest;
  readonly size: number;
  readonly frames: { readonly made: number; readonly cached: number };
}

/**
 * Where `npm run build` leaves the installers: `install`, `install-linux-<arch>` and `install.cjs` in one folder. What they need
 * of a host is what the runtime needs that the operator gave instead.
 */
export function installersIn(
  directory: string,
  platforms: readonly Platform[],
  runtimes: readonly Runtime[] = [],
): Installers {
  const executables = platforms.map((platform) => [platform, join(directory, installerName(platform))] as const);
  const glibc = executables.flatMap(([platform, path]) => {
    const given = runtimes.find((one) => one.platform === platform);
    const found = given === undefined ? glibcOf(path) : given.glibc;
    return found === null ? [] : [[platform, found] as const];
  });
  return {
    launcher: join(directory, "install"),
    executables: Object.fromEntries(executables),
    code: join(directory, "install.cjs"),
    glibc: Object.fromEntries(glibc),
  };
}

/** TOOL_MISSING where the launcher or an installer is not there: said before a build begins. */
export function requireInstallers(
  directory: string,
  platforms: readonly Platform[],
  runtimes: readonly Runtime[],
): void {
  const own = platforms.filter((platform) => runtimes.every((one) => one.platform !== platform)).map(installerName);
  const missing = ["install", ...own].map((name) => join(directory, name)).find((path) => !existsSync(path));
  if (missing !== undefined) throw notBuilt(missing);
}

function glibcOf(path: string): string | null {
  const elf = existsSync(path) ? readElf(path) : null;
  return elf === null || "damaged" in elf ? null : elf.glibc;
}

/** Writes the bundle. Integrity codes for a damaged store, TOOL_MISSING for an installer that was not built. */
export async function pack(options: PackOptions): Promise<Packed> {
  const { rendered, lock, store, reporter, signal } = options;
  const platforms = lock.platforms.toSorted();
  const groups = groupContents(rendered.files, lock);
  const frames = await compressGroups(groups, { store, level: options.level ?? 3, reporter, signal });
  const secrets = await packSecrets(rendered.nodes, rendered.files, options.keys);
  const own = await ownMembers(options, platforms);
  const members = Object.fromEntries(own.map((member) => [member.path, memberEntry(member)]));
  const index = indexOf({
    ...options,
    images: options.images ?? [],
    packages: options.packages ?? [],
    platforms,
    frames,
    members,
    runtimes: options.runtimes ?? [],
    secrets: secrets.entries,
  });
  const json = Buffer.from(encodeIndex(index));
  const payloadDigest = digestOf(json);
  const rest = [...own, ...frames.map((frame) => blobMember(frame, store)).toSorted(byPath), ...secrets.members];
  const first: TarMember = { path: indexPath, mode: 0o644, content: json };
  const sums = encodeSums([first, ...rest].map((member) => [member.path, memberDigest(member)]));
  const second = { path: sumsPath, mode: 0o644, content: Buffer.from(sums) };

  const { cluster, kubernetes, output, force = false } = options;
  const path = await outputPath(output, defaultName(cluster.name, lock.release, kubernetes, payloadDigest), force);
  const signatures = signatureMembers(second.content, options.sign ?? [], `payload:${payloadDigest}`);
  // Secrets that are not sealed are nobody else's to read.
  const mode = options.keys === null ? 0o600 : 0o644;
  const size = await writeChecked(path, [...signatures, second, first, ...rest], mode, options);
  const made = frames.filter(({ cached }) => !cached).length;
  return { path, payloadDigest, size, frames: { made, cached: frames.length - made } };
}

/** `plant-7-kubernetes-1.36.3-0123456789ab.tar` */
function defaultName(cluster: string, release: string, kubernetes: string | null, payload: Digest): string {
  const what = kubernetes === null ? release : `kubernetes-${kubernetes}`;
  return `${cluster}-${what}-${payload.slice(0, 12)}.tar`;
}

/** Writes beside the final name, verifies every byte as a node would, and only then renames. */
async function writeChecked(
  path: string,
  members: readonly TarMember[],
  mode: number,
  { reporter, signal }: Pick<PackOptions, "reporter" | "signal">,
): Promise<number> {
  const total = members.reduce((sum, member) => sum + ("content" in member ? member.content.length : member.size), 0);
  return writeBeside(path, async (temporary) => {
    writeTar(temporary, members, (bytes) => reporter.progress("write", bytes, total), mode);
    const [problem, ...more] = await verifyBundle(await openBundle(temporary), { reporter, signal });
    if (problem !== undefined) {
      for (const { member, code, message } of more) reporter.warn(`${member}: ${code}: ${message}`);
      throw problemError(problem, path);
    }
    return (await stat(temporary)).size;
  });
}

/** Launcher, installers and README.txt. */
async function ownMembers(options: PackOptions, platforms: readonly Platform[]): Promise<TarMember[]> {
  const { installers, lock, rendered } = options;
  const readme = readmeText({
    producer: options.producer,
    locked: lock.locked,
    cluster: options.cluster,
    platforms: [...platforms],
    release: { name: lock.release, components: componentsOf(lock) },
    nodes: rendered.nodes,
    glibc: installers.glibc,
    runtimes: options.runtimes ?? [],
    sealed: options.keys !== null,
  });
  const launcher = await readFile(installers.launcher).catch((cause: unknown) => {
    throw notBuilt(installers.launcher, cause);
  });
  const executables: TarMember[] = [];
  for (const platform of platforms) {
    const file = installers.executables[platform];
    const size = file === undefined ? undefined : (await stat(file).catch(() => undefined))?.size;
    if (file === undefined || size === undefined) throw notBuilt(file ?? installerName(platform));
    executables.push({ path: `bin/${installerName(platform)}`, mode: 0o755, file, ...digestFile(file) });
  }
  return [
    { path: "install", mode: 0o755, content: launcher },
    ...executables,
    { path: "README.txt", mode: 0o644, content: Buffer.from(readme) },
  ];
}

function notBuilt(where: string, cause?: unknown): ExpectedError {
  const hint = "npm run build";
  return new ExpectedError("TOOL_MISSING", "the installer that goes into the bundle is not built", {
    where,
    hint,
    cause,
  });
}

function memberEntry(member: TarMember): BundleIndex["members"][string] {
  const size = "content" in member ? member.content.length : member.size;
  return { digest: memberDigest(member), size, mode: formatMode(member.mode) };
}

function blobMember(frame: Frame, store: ContentStore): TarMember {
  const { digest, size } = frame;
  return { path: blobPath(digest), mode: 0o644, file: store.path(digest), size, digest };
}

function byPath(a: TarMember, b: TarMember): number {
  return a.path < b.path ? -1 : 1;
}
