/** What is done on one host: its parts carried, `./install` run, each over connections that may be cut. */
import { setTimeout as sleep } from "node:timers/promises";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import type { Reporter } from "#cli/reporter";
import type { Bundle } from "#bundle";
import { carry, folderOf, type Lacking } from "./carry.ts";
import { type Access, connect, type Connection } from "./connection.ts";
import type { Host } from "./inventory.ts";
import { probe, type Probe } from "./remote.ts";
import { type Action, type InstallerRecord, runInstaller } from "./run-installer.ts";
import type { View } from "./view.ts";

export interface Task {
  readonly bundle: Bundle;
  readonly access: Access;
  readonly dryRun: boolean;
  readonly reporter: Reporter;
  readonly view: View;
  readonly publicKeys: readonly string[];
  readonly require: number | undefined;
}

/** Seconds before each further attempt; bytes that arrived in between give all of them back. */
const pauses = [1, 2, 4, 8, 16];

/** Carries to a host what it lacks. A connection that is lost is made anew, and goes on where it was cut. */
export async function carryTo(host: Host, task: Task): Promise<Lacking> {
  const { bundle, access, dryRun, reporter, view } = task;
  let failures = 0;
  let connected = false;
  for (;;) {
    try {
      return await onConnection(host, access, async (connection, found) => {
        connected = true;
        return await carry({
          bundle,
          host,
          connection,
          probe: found,
          dryRun,
          progress(done, total) {
            if (done > 0) failures = 0;
            view.show(host.label, `carries ${formatBytes(done)} of ${formatBytes(total)}`);
          },
        });
      });
    } catch (error) {
      const pause = pauses[failures];
      if (!connected || pause === undefined || !isExpected(error, "STALLED", "UNREACHABLE") || access.signal.aborted)
        throw error;
      failures += 1;
      reporter.info(`${host.label}: the connection was lost; goes on in ${pause} s`);
      await sleep(pause * 1000, undefined, { signal: access.signal }).catch(() => undefined);
    }
  }
}

/** What becomes of a record of ./install on a host: told, and in one line where people read. */
export function told({ label }: Host, { reporter, view }: Task): (one: InstallerRecord) => void {
  return (one) => {
    reporter.record("host-output", { host: label, record: one });
    const text = describe(one);
    if (text === null) return;
    view.show(label, text);
    if (one.type === "stage" || one.type === "warning") reporter.info(`${label}: ${text}`);
  };
}

/** Runs `./install` there. STALLED where the connection is lost meanwhile: it goes on by itself, and is not begun again. */
export async function installOn(
  host: Host,
  action: Action,
  key: string | null,
  task: Task,
  record = told(host, task),
): Promise<number> {
  const { bundle, access, dryRun, view, publicKeys, require } = task;
  view.show(host.label, `./install ${action}${dryRun ? " --dry-run" : ""}`);
  try {
    return await onConnection(host, access, async (connection, found) => {
      const { signal } = access;
      const folder = folderOf(bundle, host);
      const { effects } = await runInstaller({
        action,
        host,
        connection,
        probe: found,
        folder,
        dryRun,
        key,
        publicKeys,
        require,
        signal,
        record,
      });
      return effects;
    });
  } catch (error) {
    if (!isExpected(error, "STALLED")) throw error;
    throw new ExpectedError("STALLED", "the connection was lost while ./install was at work, which goes on by itself", {
      hint: "run the same command again in a while: ./install continues, or says that all is as it should be",
      cause: error,
    });
  }
}

async function onConnection<Value>(
  host: Host,
  access: Access,
  work: (connection: Connection, found: Probe) => Promise<Value>,
): Promise<Value> {
  const { connection, found } = await attach(host, access);
  const { signal } = access;
  try {
    return await work(connection, found);
  } catch (error) {
    if (signal.aborted && !isExpected(error, "INTERRUPTED"))
      throw new ExpectedError("INTERRUPTED", "stopped by a signal", { cause: error });
    throw error;
  } finally {
    connection.close();
  }
}

/** Connected, and looked at. Nothing is begun yet, so a connection that is lost meanwhile is made again, twice. */
async function attach(host: Host, access: Access, again = 2): Promise<{ connection: Connection; found: Probe }> {
  const connection = await connect(host, access);
  try {
    return { connection, found: await probe(connection, host, access.credentials) };
  } catch (error) {
    connection.close();
    if (again === 0 || access.signal.aborted || !isExpected(error, "STALLED")) throw error;
    return await attach(host, access, again - 1);
  }
}

/** A record of ./install in one line of at most 300 characters; null for one that says nothing to people. */
function describe(record: InstallerRecord): string | null {
  const text = (key: string): string =>
    typeof record[key] === "string" ? record[key].replaceAll("\n", " ").slice(0, 250) : "";
  switch (record.type) {
    case "stage":
      return `${text("name")}: ${text("what")}`.slice(0, 300);
    case "warning":
      return `warning: ${text("message")}`;
    case "effect":
      return `${text("phase")}: ${text("do")} ${text("path")}`.slice(0, 300);
    default:
      return null;
  }
}
