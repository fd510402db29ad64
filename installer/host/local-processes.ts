/** Ends processes and takes mounts off: the effects `end` and `umount`. Only local.ts calls these. */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ExpectedError } from "#cli/errors";
import type { Effect } from "./effect.ts";
import type { QueryResult } from "./host.ts";
import { parseMounts } from "./mounts.ts";
import { parseStat } from "./processes.ts";

type Ended = (Effect & { do: "end" })["processes"][number];

const look = 50;
/** A killed process is gone at once, but for one that waits for a disk or a server. */
const killedSeconds = 20;

/** See the effect `end`. */
export async function end({ processes, graceSeconds }: Effect & { do: "end" }): Promise<void> {
  if (graceSeconds > 0) {
    signal(processes, "SIGTERM");
    await until(() => processes.every((one) => !isAlive(one)), graceSeconds);
  }
  signal(processes, "SIGKILL");
  await until(() => processes.every((one) => !isAlive(one)), killedSeconds);
  const left = processes.filter(isAlive);
  if (left.length === 0) return;
  const names = left.map(({ pid, what }) => `${pid} (${what})`).join(", ");
  throw new ExpectedError("APPLY_FAILED", `these processes do not end, also when killed: ${names}`, {
    hint: `cat /proc/${left[0]?.pid}/stack   # a disk or a server that does not answer`,
  });
}

function signal(processes: readonly Ended[], name: NodeJS.Signals): void {
  for (const one of processes) {
    if (!isAlive(one)) continue;
    try {
      process.kill(one.pid, name);
    } catch (error) {
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }
}

function isAlive({ pid, started }: Ended): boolean {
  try {
    return parseStat(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))?.started === started;
  } catch {
    return false;
  }
}

async function until(isSo: () => boolean, seconds: number): Promise<void> {
  for (let left = (seconds * 1000) / look; left > 0 && !isSo(); left -= 1) await sleep(look);
}

/** See the effect `umount`: `run` runs a program for at most so many seconds. */
export async function umount(
  path: string,
  run: (argv: readonly string[], seconds: number) => Promise<QueryResult>,
): Promise<void> {
  const before = layers(path);
  if (before === 0) return;
  // A server that is gone holds umount up for ever.
  const { code } = await run(["umount", "--", path], 20);
  if (code === 0 || layers(path) < before) return;
  const { code: lazily, stderr } = await run(["umount", "--lazy", "--", path], 20);
  if (lazily === 0 || layers(path) < before) return;
  throw new ExpectedError("APPLY_FAILED", `what is mounted there stays: ${stderr.trim()}`, {
    where: path,
    hint: `findmnt ${path}; umount --lazy ${path}`,
  });
}

/** How many mounts lie on each other there. */
function layers(path: string): number {
  return parseMounts(fs.readFileSync("/proc/self/mountinfo", "utf8")).filter(({ at }) => at === path).length;
}
