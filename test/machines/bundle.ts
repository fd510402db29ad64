/** The bundle that the machines get: release `distro`, built by the very command that an operator types. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, ingredientsOf } from "../../scripts/vm/cache.ts";
import { makeMedium } from "../../scripts/vm/medium.ts";
import { makeExecutables } from "../../scripts/executables.ts";
import { writeKeyLines } from "../builders/cluster-keys.ts";
import type { Machine } from "../../scripts/vm/machine.ts";

const root = join(import.meta.dirname, "../..");

export interface BuiltBundle {
  /** Holds cluster.yaml, its lock, PKI and keys, `bundle.tar`, and the bundle unpacked by GNU tar in `bundle/`. */
  readonly folder: string;
  /** A read-only disk with the unpacked bundle. */
  readonly medium: string;
  /** The bundle's secret keys: one line a node. */
  readonly keys: string;
}

/**
 * Builds it once for these sources and this configuration. With `earlier` it is a later bundle of the same cluster:
 * the same keys and certificates. `options`: further words of `kubeferry lock` and `build`; `rotation`: those of
 * `kubeferry pki rotate cluster.yaml`, before.
 */
export async function buildBundle(
  clusterYaml: string,
  earlier: BuiltBundle | null = null,
  options: readonly string[] = [],
  rotation: readonly string[] = [],
): Promise<BuiltBundle> {
  makeExecutables();
  const folders = ["builder", "installer", "manifests"].map((name) => ingredientsOf(join(root, name)));
  const sources = await Promise.all(folders);
  const folder = await cached("bundle", { sources, clusterYaml, earlier, options, rotation }, async (folder) => {
    writeFileSync(join(folder, "cluster.yaml"), clusterYaml);
    for (const path of earlier === null ? [] : keptBetweenBuilds(earlier)) {
      run(folder, "cp", "--archive", path, "."); // Modes are part of it: keys that others may read are refused.
    }
    if (earlier !== null) run(folder, join(root, "dist/kubeferry"), "lock", "--update", "cluster.yaml", ...options);
    if (rotation.length > 0) run(folder, join(root, "dist/kubeferry"), "pki", "rotate", "cluster.yaml", ...rotation);
    mkdirSync(join(folder, "bundle"));
    run(folder, join(root, "dist/kubeferry"), "build", "cluster.yaml", "-o", "bundle.tar", ...options);
    run(folder, "tar", "-xf", "bundle.tar", "-C", "bundle");
    await makeMedium(join(folder, "bundle"), join(folder, "medium.ext4"));
  });
  return { folder, medium: join(folder, "medium.ext4"), keys: writeKeyLines(folder) };
}

/** Where a machine finds bundle and keys after {@link insert}. */
export const installer = "/mnt/install";
export const laterInstaller = "/srv/install";
export const faultyInstaller = "/media/install";
export const keyFile = "/root/cluster.keys";

/** Plugs the bundle in, mounts it, and brings the keys by another way. */
export async function insert(machine: Machine, bundle: BuiltBundle, keys: string): Promise<void> {
  await machine.plug(bundle.medium, "bundle");
  await machine.run(`umask 077; cat > ${keyFile}`, { input: keys });
  await mountBundle(machine);
}

/** A second stick, with a later bundle, mounted at /srv. */
export async function insertLater(machine: Machine, bundle: BuiltBundle): Promise<void> {
  await machine.plug(bundle.medium, "later");
  await mountBundle(machine);
}

/** A third one, whose bundle fails, at /media. */
export async function insertFaulty(machine: Machine, bundle: BuiltBundle): Promise<void> {
  await machine.plug(bundle.medium, "faulty");
  await mountBundle(machine);
}

/** After a reboot: the sticks are still in, but nobody has mounted them. */
export async function mountBundle(machine: Machine): Promise<void> {
  const mount = (serial: string, target: string): string => {
    const device = `/dev/disk/by-id/virtio-${serial}`;
    return `if [ -b ${device} ] && ! mountpoint -q ${target}; then mount -o ro,noload ${device} ${target}; fi`;
  };
  await machine.run(
    `udevadm settle; ${mount("bundle", "/mnt")}; ${mount("later", "/srv")}; ${mount("faulty", "/media")}`,
  );
}

function keptBetweenBuilds({ folder }: BuiltBundle): string[] {
  const names = readdirSync(folder).filter((name) => /\.(pki|keys|lock)$/.test(name));
  return names.map((name) => join(folder, name));
}

function run(folder: string, ...[program, ...rest]: [string, ...string[]]): void {
  execFileSync(program, rest, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}
