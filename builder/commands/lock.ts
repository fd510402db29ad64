/** `lock`: from a release to exact bytes, and the list of them for people who fetch by hand. */
import { stat } from "node:fs/promises";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import type { BuildOptions } from "../build.ts";
import type { LoadedCluster } from "../config/load.ts";
import type { Lock } from "../lock/lock.ts";

export const listFormats = ["text", "aria2", "skopeo"] as const;

export interface LockFlags {
  readonly update?: boolean;
  readonly trustFirstUse?: boolean;
  readonly list?: boolean;
  readonly format?: (typeof listFormats)[number];
  /** A folder with what {@link LockFlags.list} names. */
  readonly from?: string;
}

export async function lock(options: BuildOptions, flags: LockFlags): Promise<void> {
  const { fetch, load, lockPath } = await import("../build.ts");
  const { readLock } = await import("../lock/lock-file.ts");
  const { checkLock } = await import("../lock/stale.ts");
  const { reporter } = options;
  const path = lockPath(options.config);
  if (flags.list === true) {
    const quiet = { ...reporter, stage() {}, warn() {} };
    return await list(options, await load({ ...options, reporter: quiet }), await readLock(path), flags);
  }
  const given = flags.from === undefined ? options : await onlyFrom(flags.from, options);
  const loaded = await load(given);
  const present = await readLock(path).catch((error: unknown) => {
    // A lock that is none any more keeps nobody from making it anew.
    if (flags.update !== true || !isExpected(error, "LOCK_INVALID", "CONFIG_SYNTAX")) throw error;
    reporter.warn(`${path} is no lock and is made anew`);
    return null;
  });
  const isKept = present !== null && flags.update !== true;
  if (isKept) await checkLock(present, loaded, path, options.config);
  const lock = isKept ? present : await makeLock(given, loaded, present, flags);
  if (flags.from !== undefined) {
    const { files } = await fetch(given, loaded, lock);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const next = `kubeferry build --offline ${options.config}`;
    return reporter.info(`${files.length} files, ${formatBytes(size)}, verified in ${options.cache}; next: ${next}`);
  }
  if (!isKept) return;
  reporter.record("lock", { path, lock, changes: [] });
  reporter.info(`${path} is there and fits, of ${present.locked}; --update resolves again`);
}

async function makeLock(
  options: BuildOptions,
  loaded: LoadedCluster,
  present: Lock | null,
  { trustFirstUse }: LockFlags,
): Promise<Lock> {
  const { diffLocks } = await import("../lock/diff.ts");
  const { writeLock } = await import("../lock/lock-file.ts");
  const { lockPath, newLock } = await import("../build.ts");
  const { reporter } = options;
  const path = lockPath(options.config);
  const made = await newLock(options, loaded, trustFirstUse);
  const changes = present === null ? [] : diffLocks(present, made);
  for (const line of changes) reporter.info(line);
  await writeLock(path, made);
  reporter.record("lock", { path, lock: made, changes });
  reporter.info(`wrote ${path}${present !== null && changes.length === 0 ? "; nothing changed but the day" : ""}`);
  return made;
}

/** Nothing but the folder is asked, for artifacts and images alike. */
async function onlyFrom(folder: string, options: BuildOptions): Promise<BuildOptions> {
  if ((await stat(folder).catch(() => null))?.isDirectory() !== true) {
    throw new ExpectedError("USAGE", "there is no such folder", { where: folder, hint: "kubeferry lock --list" });
  }
  return { ...options, mirrors: [folder, ...options.mirrors], folder, offline: true };
}

/** Of the lock where there is one, otherwise of the release; asks no network. */
async function list(
  { reporter, config }: BuildOptions,
  loaded: LoadedCluster,
  present: Lock | null,
  { format = "text" }: LockFlags,
): Promise<void> {
  const { listAria2, listSkopeo, listText, wantedItems } = await import("../lock/list.ts");
  const items = wantedItems(loaded, present);
  for (const item of items) reporter.record("item", { ...item });
  const lines = { text: listText, aria2: listAria2, skopeo: listSkopeo }[format];
  for (const line of lines(items)) reporter.info(line);
  const unknown = items.filter(({ kind, digest }) => digest === null && kind !== "signature" && kind !== "keys");
  if (present !== null || unknown.every(({ kind }) => kind === "checksums")) return;
  reporter.warn(
    `without a lock some digests are not known yet; bring it all, then: kubeferry lock --from DIR ${config}`,
  );
}
