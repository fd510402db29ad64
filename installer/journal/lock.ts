/** One `./install` at a time: a lock file that names its holder, and that a dead holder does not keep. */
import * as fs from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "#cli/errors";

interface Holder {
  readonly pid: number;
  /** Start time of the process, in clock ticks since boot: a number that a later process with the same pid does not have. */
  readonly started: string;
  readonly boot: string;
  readonly command: string;
  readonly since: string;
}

/** Takes the lock in `folder`, and returns how to give it back. LOCKED, saying who holds it, while its holder lives. */
export function lock(folder: string, command: string, now: Date): () => void {
  const path = join(folder, "lock");
  const own: Holder = {
    pid: process.pid,
    started: startTime(process.pid),
    boot: bootId(),
    command,
    since: now.toISOString(),
  };
  const text = JSON.stringify(own);
  // Who is held up anyway needs no room for a lock of his own.
  const present = parse(readText(path) ?? "");
  if (present !== null && isAlive(present)) throw locked(present, path);
  const mine = `${path}.${process.pid}`;
  // Written whole first, then linked: whoever sees the lock sees who holds it.
  fs.writeFileSync(mine, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      if (tryLink(mine, path)) return () => release(path, text);
      const found = readText(path);
      const holder = found === null ? null : parse(found);
      if (holder !== null && isAlive(holder)) throw locked(holder, path);
      if (found !== null) takeAway(path, found, `${mine}.stale`);
    }
    throw new ExpectedError("LOCKED", "the lock changes hands all the time", { where: path, hint: "run it again" });
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function locked(holder: Holder, path: string): ExpectedError {
  return new ExpectedError("LOCKED", `another installation is running: ${holder.command}, since ${holder.since}`, {
    where: path,
    found: `process ${holder.pid}`,
    hint: `wait for it: tail --pid=${holder.pid} -f /dev/null`,
  });
}

function release(path: string, text: string): void {
  if (readText(path) === text) fs.rmSync(path, { force: true });
}

/** Removes a dead holder's lock, unless another process has taken its place in the meantime. */
function takeAway(path: string, expected: string, aside: string): void {
  try {
    fs.renameSync(path, aside);
  } catch {
    return;
  }
  if (readText(aside) !== expected) tryLink(aside, path);
  fs.rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

function parse(text: string): Holder | null {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  return holder.boot === bootId() && holder.started !== "" && startTime(holder.pid) === holder.started;
}

/** Field 22 of /proc/PID/stat; empty when there is no such process. The name in field 2 may hold spaces. */
function startTime(pid: number): string {
  const text = readText(`/proc/${pid}/stat`) ?? "";
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function readText(path: string): string | null {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
