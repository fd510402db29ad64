/** The main flow on the online side: cluster.yaml and a release become one bundle. Each stage is also a subcommand. */
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import { version } from "#cli/version";
import type { ClusterConfig } from "./config/cluster.ts";
import { type LoadedCluster, loadClusterAndRelease } from "./config/load.ts";
import { topology } from "./config/topology.ts";
import { fetchRelease } from "./sources/fetch.ts";
import type { FetchedFile } from "./sources/fetched.ts";
import { Store } from "./store/store.ts";
import { fetchImages, lockImages } from "./sources/oci/images.ts";
import { inTurn } from "./together.ts";
import type { HttpSettings } from "./http/client.ts";
import type { PackageContext } from "./sources/package-context.ts";
import { fetchPackages, resolvePackages } from "./sources/packages.ts";
import { readLock, writeLock } from "./lock/lock-file.ts";
import type { Lock } from "./lock/lock.ts";
import type { PlaceOptions } from "./sources/places.ts";
import { resolveLock } from "./sources/resolve.ts";
import { checkLock, packagesAsked } from "./lock/stale.ts";
import { checkClosure, requireComplete } from "./pack/closure/closure.ts";
import { packImages } from "./pack/images.ts";
import { type ClusterKeys, openKeys, refuseNoRecipient } from "./pack/keys.ts";
import { refuseOutput } from "./pack/output.ts";
import { packPackages } from "./pack/packages.ts";
import { installersIn, pack, type Packed, requireInstallers } from "./pack/pack.ts";
import { openPki } from "./pki/authority.ts";
import { judgeRuntimes, type Runtime, withInstallers } from "./pack/runtime/runtime.ts";
import type { SigningKey } from "./sign/secret-key.ts";
import type { NodeFile, Rendered } from "./render/node-file.ts";
import { render } from "./render/render.ts";

export interface BuildOptions extends PlaceOptions {
  /** cluster.yaml; `cluster.lock`, `<cluster>.pki/` and `<cluster>.keys` lie beside it. */
  readonly config: string;
  /** The lock where it lies elsewhere. */
  readonly lock?: string;
  /** Warnings about cluster.yaml are errors. */
  readonly strict: boolean;
  /** Overrides `release:` of cluster.yaml. */
  readonly release?: string | undefined;
  /** File or folder of the bundle. */
  readonly output: string;
  /** Replaces an older bundle of that name. */
  readonly force: boolean;
  /** The store's folder. */
  readonly cache: string;
  /** Where images lie that were fetched by hand; their other artifacts are then there, too. */
  readonly folder?: string | undefined;
  /** Proxy, CAs, credentials, time-outs. */
  readonly http: HttpSettings;
  /** Base URLs to ask instead of a container registry's own, by its domain. */
  readonly registries: Readonly<Record<string, readonly string[]>>;
  readonly plaintextSecrets: boolean;
  /** Further age recipients of every node's secrets. */
  readonly recipients?: readonly string[] | undefined;
  /** Keys that sign the bundle. */
  readonly sign?: readonly SigningKey[];
  /** Folder with the launcher, the installers, and their code. */
  readonly installers: string;
  /** Paths of other Nodes for the installers, one a platform at most. */
  readonly runtimes?: readonly string[];
  readonly now: Date;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface Built extends Packed {
  /** The folder with the nodes' keys; null with `--plaintext-secrets`. */
  readonly keys: string | null;
}

/** Every stage; gives the bundle, packed and verified. */
export async function build(options: BuildOptions): Promise<Built> {
  const loaded = await load(options);
  const { config, output, force, signal } = options;
  const { cluster } = loaded;
  await refuseOutput(output, [config, lockPath(config), keysPath(config, cluster), pkiPath(config, cluster)], force);
  const runtimes = await judgeRuntimes(options.runtimes ?? [], cluster.platforms, signal);
  requireInstallers(options.installers, cluster.platforms, runtimes);
  for (const recipient of options.recipients ?? []) refuseNoRecipient(recipient);
  const lock = await lockOf(options, loaded);
  const { store, files } = await fetch(options, loaded, lock);
  const rendered = await renderNodes(options, loaded, files);
  const packed = await packBundle(options, { loaded, lock, store, rendered, runtimes });
  return { ...packed, keys: options.plaintextSecrets ? null : keysPath(options.config, loaded.cluster) };
}

type LoadOptions = Pick<BuildOptions, "config" | "release" | "reporter" | "strict">;

/** cluster.yaml and its release; warnings are told, and with `strict` they are CONFIG_INVALID. */
export async function load(options: LoadOptions): Promise<LoadedCluster> {
  const loaded = await loadClusterAndRelease(options.config, options.release);
  if (options.strict && loaded.warnings.length > 0) {
    const hint = "correct these places, or run it without --strict";
    const problems = loaded.warnings.map((message) => ({ message }));
    const message = "--strict refuses what is otherwise only a warning";
    throw new ExpectedError("CONFIG_INVALID", message, { where: options.config, problems, hint });
  }
  for (const warning of loaded.warnings) options.reporter.warn(warning);
  const { cluster, manifest } = loaded;
  options.reporter.stage("load", `cluster ${cluster.name}, ${cluster.nodes.length} nodes, release ${manifest.release}`);
  return loaded;
}

/** The lock beside cluster.yaml: the one that is there, or a new one where there is none. */
export async function lockOf(options: BuildOptions, loaded: LoadedCluster): Promise<Lock> {
  const path = options.lock ?? lockPath(options.config);
  const present = await readLock(path);
  if (present !== null) {
    await checkLock(present, loaded, path, options.config);
    options.reporter.stage("lock", `${path}, of ${present.locked}`);
    return present;
  }
  const lock = await newLock(options, loaded);
  await writeLock(path, lock);
  options.reporter.stage("lock", `wrote ${path}: ${lockCount(lock)} pinned`);
  return lock;
}

/** Resolves every artifact, image and package anew; writes nothing. */
export async function newLock(options: BuildOptions, loaded: LoadedCluster, trustFirstUse = false): Promise<Lock> {
  const { cluster, manifest, digest } = loaded;
  const [lock, images, packages] = await inTurn([
    () => resolveLock({ ...options, cluster, manifest, manifestDigest: digest, trustFirstUse }),
    async () => lockImages(cluster, manifest, { ...options, store: await Store.open(options.cache) }),
    () => resolvePackages(cluster.packages, packageContext(options, cluster)),
  ]);
  return { ...lock, images, packages, requests: await packagesAsked(cluster) };
}

export interface Fetched {
  readonly store: Store;
  readonly files: readonly FetchedFile[];
}

/** Everything that the lock names, verified, in the store. */
export async function fetch(options: BuildOptions, loaded: LoadedCluster, lock: Lock): Promise<Fetched> {
  const { cluster } = loaded;
  options.reporter.stage("fetch", `into ${options.cache}: ${lockCount(lock)}`);
  const store = await Store.open(options.cache);
  const { offline } = options;
  const packages = { ...packageContext(options, cluster), offline, store };
  const [files] = await inTurn([
    () => fetchRelease({ ...options, lock, store }),
    () => fetchImages(lock, loaded, { ...options, store }),
    () => fetchPackages(lock.packages, cluster.packages, packages),
  ]);
  return { store, files };
}

/**
 * Keys and certificates (made once, beside cluster.yaml), then every node's files. Without `keep` what is missing of the
 * keys and certificates is made for this once and written nowhere.
 */
export async function renderNodes(
  options: BuildOptions,
  loaded: LoadedCluster,
  fetched: readonly FetchedFile[],
  keep = true,
): Promise<Rendered> {
  const derived = topology(loaded.cluster, loaded.manifest);
  const folder = pkiPath(options.config, loaded.cluster);
  const pki = await openPki(folder, derived, options.now, keep);
  if (keep) {
    options.reporter.stage("pki", `${pki.leaves.length} certificates in ${folder}`);
    for (const note of pki.notes) options.reporter.warn(note);
  }
  const rendered = render({
    topology: derived,
    pki,
    fetched,
    manifest: loaded.manifest,
    own: loaded.own,
    manifests: loaded.manifests,
  });
  options.reporter.stage("render", `${rendered.files.length} files, ${rendered.units.length} units`);
  return rendered;
}

interface Packable {
  readonly loaded: LoadedCluster;
  readonly lock: Lock;
  readonly store: Store;
  readonly rendered: Rendered;
  readonly runtimes: readonly Runtime[];
}

/** Adds images and packages, refuses what would not be complete, and writes the bundle. */
async function packBundle(
  options: BuildOptions,
  { loaded, lock, store, rendered, runtimes }: Packable,
): Promise<Packed> {
  const { cluster, manifest } = loaded;
  const images = await packImages(await fetchImages(lock, loaded, { ...options, store, offline: true }), store);
  const packages = packPackages(lock.packages);
  const files = await Promise.all(rendered.files.map((file) => kept(file, store)));
  const whole = { ...rendered, files: [...files, ...images.files, ...packages.files] };
  const parts = { images: images.entries, packages: packages.entries };
  const installers = installersIn(options.installers, lock.platforms, runtimes);
  requireComplete(
    checkClosure({
      rendered: whole,
      platforms: lock.platforms,
      store,
      vouched: cluster.host.provides,
      artifacts: lock.artifacts,
      glibc: installers.glibc,
      ...parts,
    }),
    options.reporter,
  );
  for (const { platform, version: node, path } of runtimes)
    options.reporter.stage("runtime", `Node ${node} of ${path} for ${platform}`);
  const { cache: scratch, signal } = options;
  return withInstallers(runtimes, { main: installers.code, scratch, signal }, async (executables) => {
    options.reporter.stage("pack", options.output);
    return pack({
      ...options,
      ...parts,
      rendered: whole,
      lock,
      store,
      cluster: {
        name: cluster.name,
        domain: cluster.network.domain,
        serviceCidr: cluster.network.services,
        podCidr: cluster.network.pods,
        endpoint: topology(cluster, manifest).api.url,
      },
      kubernetes: manifest.kubernetes,
      installers: { ...installers, executables: { ...installers.executables, ...executables } },
      runtimes,
      keys: options.plaintextSecrets ? null : await nodeKeys(options, cluster, rendered),
      producer: `kubeferry ${version()}`,
    });
  });
}

/** The bytes of an operator's own file, in the store as all others; those of a secret never. */
async function kept(file: NodeFile, store: Store): Promise<NodeFile> {
  if (file.sensitive || typeof file.content === "string" || file.content.bytes === undefined) return file;
  return { ...file, content: await store.put(Readable.from([file.content.bytes])) };
}

async function nodeKeys(options: BuildOptions, cluster: ClusterConfig, rendered: Rendered): Promise<ClusterKeys> {
  const nodes = rendered.nodes.map((node) => node.name);
  const folder = keysPath(options.config, cluster);
  const keys = await openKeys({ folder, pki: pkiPath(options.config, cluster), nodes, others: options.recipients });
  for (const note of keys.notes) options.reporter.warn(note);
  return keys;
}

function lockCount({ artifacts, images, packages }: Lock): string {
  const counts = { artifacts: artifacts.length, images: images.length, packages: packages.length };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

function packageContext({ cache, http, signal }: BuildOptions, { platforms }: ClusterConfig): PackageContext {
  return { platforms, state: join(cache, "packages"), http, signal };
}

/** `cluster.yaml` → `cluster.lock`. */
export function lockPath(config: string): string {
  return config.replace(/(\.ya?ml)?$/, ".lock");
}

export function keysPath(config: string, cluster: ClusterConfig): string {
  return join(dirname(config), `${cluster.name}.keys`);
}

export function pkiPath(config: string, cluster: ClusterConfig): string {
  return join(dirname(config), `${cluster.name}.pki`);
}
