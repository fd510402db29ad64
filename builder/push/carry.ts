/** Brings to a host those parts of a bundle that it lacks, each judged by the digest that the host computes. */
import { posix } from "node:path";
import type { FileEntryWithStats, SFTPWrapper } from "ssh2";
import type { Bundle } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import type { Connection } from "./connection.ts";
import type { Host } from "./inventory.ts";
import { folderName, type Part, partsFor } from "./parts.ts";
import { digestsOf, lastLine, type Probe, runAsRoot } from "./remote.ts";
import { type Far, partialOf, told, upload } from "./upload.ts";

export interface Lacking {
  readonly parts: number;
  readonly bytes: number;
}

export interface Carrying {
  readonly bundle: Bundle;
  readonly host: Host;
  readonly connection: Connection;
  readonly probe: Probe;
  /** Only looks. */
  readonly dryRun: boolean;
  /** `done` of `total` bytes are there. */
  readonly progress: (done: number, total: number) => void;
}

/** A bundle's folder on a host. */
export function folderOf(bundle: Bundle, { folder }: Host): string {
  return posix.join(folder, folderName(bundle));
}

/** What the host lacked, which it has now unless this is a dry-run. NO_SPACE, DENIED, DIGEST_MISMATCH, STALLED, TOOL_MISSING. */
export async function carry({ bundle, host, connection, probe, dryRun, progress }: Carrying): Promise<Lacking> {
  const { root } = probe;
  const folder = folderOf(bundle, host);
  const parts = partsFor(bundle, host, probe.platform);
  const sftp = await connection.sftp();
  const digests = (paths: readonly string[], below = folder) => digestsOf(connection, root, below, paths);

  let there = await sizesBelow(connection, sftp, folder);
  const missing = async (): Promise<Part[]> => {
    const sized = parts.filter(({ path, member }) => there.get(path) === member.size);
    const found = await digests(sized.map(({ path }) => path));
    return parts.filter(({ path, digest }) => found.get(path) !== digest);
  };
  let lacking = await missing();
  if (lacking.length > 0 && !dryRun) {
    await makeFolders(connection, probe, host, folder, parts);
    if ((await copyFromSiblings({ sftp, connection, probe, host, folder }, lacking)) > 0) {
      there = await sizesBelow(connection, sftp, folder);
      lacking = await missing();
    }
  }
  const begun = (part: Part): number => there.get(partialOf(part.path)) ?? 0;
  const bytes = lacking.reduce((sum, { member }) => sum + member.size, 0);
  if (dryRun) return { parts: lacking.length, bytes };

  await roomFor(
    connection,
    sftp,
    folder,
    bytes - lacking.reduce((sum, part) => sum + Math.min(begun(part), part.member.size), 0),
  );
  const far: Far = { connection, sftp, folder, digests };
  let done = 0;
  for (const part of lacking) {
    await upload(part, begun(part), far, (count) => progress((done += count), bytes)).catch(async (error: unknown) => {
      if (isExpected(error, "DEVICE_FAILED")) await roomFor(connection, sftp, folder, part.member.size, error);
      throw error;
    });
  }
  await dropPartials(connection, sftp, folder, there, lacking);
  if (host.sudo && root.words.length > 0) await giveTo(connection, probe, folder, "0:0");
  return { parts: lacking.length, bytes };
}

/** Sizes of the files in a bundle's folder by path; nothing where there is no such folder. Links are none. */
async function sizesBelow(connection: Connection, sftp: SFTPWrapper, folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const below of ["", "bin", "blobs/sha256", "secrets"]) {
    for (const { filename, attrs } of await listed(connection, sftp, posix.join(folder, below)))
      if ((attrs.mode & 0o170000) === 0o100000) sizes.set(posix.join(below, filename), attrs.size);
  }
  return sizes;
}

async function listed(connection: Connection, sftp: SFTPWrapper, folder: string): Promise<FileEntryWithStats[]> {
  try {
    return await told<FileEntryWithStats[]>(connection, folder, (done) => sftp.readdir(folder, done));
  } catch (error) {
    if (isExpected(error, "STALLED")) throw error;
    return [];
  }
}

/** With sudo root makes the folder, and it is this user's until all is there. */
async function makeFolders(
  connection: Connection,
  probe: Probe,
  host: Host,
  folder: string,
  parts: readonly Part[],
): Promise<void> {
  const folders = [...new Set(parts.map(({ path }) => posix.join(folder, posix.dirname(path))))];
  const made = await runAsRoot(connection, probe.root, ["mkdir", "-p", "-m", "0755", "--", ...folders]);
  if (made.code !== 0) {
    const full = /no space left/i.test(made.err);
    throw new ExpectedError(full ? "NO_SPACE" : "DENIED", "the folder of the bundle cannot be made", {
      where: folder,
      found: lastLine(made.err),
    });
  }
  if (probe.root.words.length > 0) await giveTo(connection, probe, folder, host.login.user);
}

async function giveTo(connection: Connection, { root }: Probe, folder: string, owner: string): Promise<void> {
  const { code, err } = await runAsRoot(connection, root, ["chown", "-R", "--", owner, folder]);
  if (code === 0) return;
  throw new ExpectedError("DENIED", `the folder cannot be given to ${owner}`, { where: folder, found: lastLine(err) });
}

interface Siblings {
  readonly sftp: SFTPWrapper;
  readonly connection: Connection;
  readonly probe: Probe;
  readonly host: Host;
  readonly folder: string;
}

/** Frames that an earlier bundle brought are copied on the host, and then judged like any other. How many were. */
async function copyFromSiblings(
  { sftp, connection, probe, host, folder }: Siblings,
  lacking: readonly Part[],
): Promise<number> {
  const blobs = lacking.filter(({ path }) => path.startsWith("blobs/"));
  let copied = 0;
  for (const { filename, attrs } of blobs.length === 0 ? [] : await listed(connection, sftp, host.folder)) {
    const sibling = posix.join(host.folder, filename);
    if ((attrs.mode & 0o170000) !== 0o040000 || sibling === folder) continue;
    const names = new Map(
      (await listed(connection, sftp, posix.join(sibling, "blobs/sha256"))).map((one) => [
        one.filename,
        one.attrs.size,
      ]),
    );
    const here = blobs.filter(({ path, member }) => names.get(posix.basename(path)) === member.size);
    if (here.length === 0) continue;
    const from = here.map(({ path }) => posix.join(sibling, path));
    const { code } = await runAsRoot(connection, probe.root, ["cp", "--", ...from, posix.join(folder, "blobs/sha256")]);
    if (code === 0) copied += here.length;
  }
  if (copied > 0 && probe.root.words.length > 0) await giveTo(connection, probe, folder, host.login.user);
  return copied;
}

/** NO_SPACE where the host's file system has less than `bytes` free; `failure` says that a write has failed already. */
async function roomFor(
  connection: Connection,
  sftp: SFTPWrapper,
  folder: string,
  bytes: number,
  failure?: unknown,
): Promise<void> {
  interface Space {
    readonly f_bavail: number;
    readonly f_frsize: number;
  }
  const space = await connection.ask<Space>((done) => sftp.ext_openssh_statvfs(folder, done)).catch(() => undefined);
  if (space === undefined) return;
  const free = space.f_bavail * space.f_frsize;
  if (free >= bytes) return;
  throw new ExpectedError("NO_SPACE", "the host's file system is too full for the bundle", {
    where: folder,
    expected: `${formatBytes(bytes)} free`,
    found: `${formatBytes(free)} free`,
    hint: `df -h ${folder} on the host; or folder: PATH in hosts.yaml, on a larger file system`,
    ...(failure === undefined ? {} : { cause: failure }),
  });
}

/** What an earlier run began and this one has no use for: ./install takes no file that is not of the bundle. */
async function dropPartials(
  connection: Connection,
  sftp: SFTPWrapper,
  folder: string,
  there: ReadonlyMap<string, number>,
  taken: readonly Part[],
): Promise<void> {
  const used = new Set(taken.map(({ path }) => partialOf(path)));
  for (const path of there.keys())
    if (path.endsWith(".partial") && !used.has(path))
      await told(connection, folder, (done) => sftp.unlink(posix.join(folder, path), done));
}
