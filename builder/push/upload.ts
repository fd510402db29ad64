/** One file to a host: beside its place, from where an earlier attempt stopped, and under its name only once its digest is right there. */
import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";
import type { SFTPWrapper } from "ssh2";
import { type Digest, digestFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { type Connection, lost } from "./connection.ts";
import type { Part } from "./parts.ts";

export interface Far {
  readonly connection: Connection;
  readonly sftp: SFTPWrapper;
  /** Of the bundle, on the host. */
  readonly folder: string;
  /** Digests of files below the folder, as the host itself computes them. */
  readonly digests: (paths: readonly string[]) => Promise<Map<string, Digest>>;
}

export const partialOf = (path: string): string => `${path}.partial`;

const chunk = 32 * 1024;
/** Chunks on their way that the host has not acknowledged yet. */
const window = 32;
/** The most bytes that a cut loses. */
export const unacknowledged = window * chunk;

/**
 * `begun` bytes of it are there. Calls `sent` with each number of bytes that the host has taken. DIGEST_MISMATCH, NO_SPACE,
 * DENIED, STALLED.
 */
export async function upload(
  part: Part,
  begun: number,
  { connection, sftp, folder, digests }: Far,
  sent: (bytes: number) => void,
): Promise<void> {
  const partial = partialOf(part.path);
  const [from, to] = [posix.join(folder, partial), posix.join(folder, part.path)];
  const start = begun > 0 && (await isStart(part, begun, partial, digests)) ? begun : 0;
  sent(start);
  // For its owner alone from the first byte; it gets its mode when it is whole.
  const handle = await told(connection, from, (done: Done<Buffer>) =>
    sftp.open(from, start > 0 ? "r+" : "w", { mode: 0o600 }, done),
  );
  const file = await open(part.member.file, "r");
  try {
    await send(
      connection,
      part,
      start,
      file,
      from,
      (at, bytes, done) => sftp.write(handle, bytes, 0, bytes.length, at, done),
      sent,
    );
    await told(connection, from, (done) => sftp.fsetstat(handle, { mode: part.mode }, done));
    // An sshd without this extension has no way to be asked.
    await connection.ask((done) => sftp.ext_openssh_fsync(handle, done)).catch(() => undefined);
  } finally {
    await file.close();
    await connection.ask((done) => sftp.close(handle, done)).catch(() => undefined);
  }
  const found = (await digests([partial])).get(partial);
  if (found !== part.digest) {
    await connection.ask((done) => sftp.unlink(from, done)).catch(() => undefined);
    const details = { where: to, expected: part.digest, found: found ?? "nothing that can be read" };
    throw new ExpectedError("DIGEST_MISMATCH", "what arrived is not what was sent", details);
  }
  await told(connection, to, (done) => sftp.ext_openssh_rename(from, to, done));
}

type Done<Value> = (error: Error | undefined | null, value?: Value) => void;

/** Whether what is there is how the file begins. Longer than the file: it is of another one. */
async function isStart({ member }: Part, begun: number, partial: string, digests: Far["digests"]): Promise<boolean> {
  if (begun > member.size) return false;
  const found = (await digests([partial])).get(partial);
  return found === digestFile(member.file, member.offset, begun).digest;
}

async function send(
  connection: Connection,
  { member }: Part,
  start: number,
  file: FileHandle,
  where: string,
  write: (at: number, bytes: Buffer, done: Done<undefined>) => void,
  sent: (bytes: number) => void,
): Promise<void> {
  const waiting = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (let at = start; at < member.size && failures.length === 0;) {
    const bytes = Buffer.allocUnsafe(Math.min(chunk, member.size - at));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, member.offset + at);
    if (bytesRead === 0)
      throw new ExpectedError("TRUNCATED", "the bundle became shorter meanwhile", { where: member.file });
    const [place, some] = [at, bytes.subarray(0, bytesRead)];
    const one = told(connection, where, (done) => write(place, some, done)).then(
      () => sent(bytesRead),
      (error: unknown) => void failures.push(error),
    );
    waiting.add(one);
    void one.finally(() => waiting.delete(one));
    if (waiting.size >= window) await Promise.race(waiting);
    at += bytesRead;
  }
  await Promise.all(waiting);
  if (failures.length > 0) throw failures[0];
}

/** An operation of SFTP, with its errors as an operator reads them: a status of the host's, or a connection that is lost. */
export async function told<Value>(
  connection: Connection,
  where: string,
  start: (done: Done<Value>) => unknown,
): Promise<Value> {
  try {
    return await connection.ask<Value>(start);
  } catch (cause) {
    // SFTP's own numbers: 2 no such file, 3 permission denied, 4 failure.
    const status = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (status === 3)
      throw new ExpectedError("DENIED", "the host does not let this user write there", { where, cause });
    if (status === 4) throw new ExpectedError("DEVICE_FAILED", "the host cannot write there", { where, cause });
    if (status === 2) throw new ExpectedError("DENIED", "the folder is not there and cannot be made", { where, cause });
    throw lost(cause);
  }
}
