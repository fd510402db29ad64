/** `./install restore-etcd`: etcd's data from a snapshot, as a cluster of one, or anew from the other members. */
import { basename, join } from "node:path";
import { digestFile, isSealedFile, openSealedFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { ownEtcd, snapshotStatus, snapshotTool } from "../cluster/ask-etcd.ts";
import type { Context } from "../context.ts";
import type { Host } from "../host/host.ts";
import { unitFolder } from "../host/systemd.ts";
import { installedGoals } from "../journal/installed.ts";
import { removeSnapshot, snapshotFolder, snapshotName } from "../journal/snapshots.ts";
import { type EtcdRestore, restorePlan, type Snapshot } from "../plan/etcd.ts";
import { etcdUnit } from "../plan/upgrade.ts";
import { idsOf } from "../resources/catalogue.ts";
import type { EtcdStart, EtcdWords } from "../resources/resource.ts";
import { headerOver, resumable } from "../transaction/header.ts";
import { openInstalled } from "../transaction/installation.ts";
import { type ApplyOptions, lookAt, transact } from "../transaction/transact.ts";

export interface RestoreEtcdRequest extends ApplyOptions {
  readonly source: { readonly snapshot: string } | { readonly as: EtcdStart };
  /** For a sealed snapshot. */
  readonly identity: () => Promise<string | null>;
}

/** One transaction, which `rollback` takes back. NOT_INSTALLED, USAGE where this is no member, KEY_WRONG, SECRETS_INVALID. */
export async function restoreEtcd(request: RestoreEtcdRequest, context: Context): Promise<void> {
  const { root, source } = request;
  const { reporter, now } = context;
  const installation = openInstalled(root);
  const { host, past, last } = installation;
  const client = ownEtcd(past);
  const unit = await host.read(join(unitFolder, etcdUnit));
  if (unit === null) throw ownEtcdMissing();
  const from = "snapshot" in source ? digestFile(source.snapshot).digest : source.as;
  const header = headerOver(last, installation, {
    ...{ command: context.command, action: "restore-etcd", restoredFrom: from },
    notes: ["snapshot" in source ? `etcd's data were restored from ${source.snapshot}` : `etcd's data: ${source.as}`],
  });
  // Refused before a snapshot is opened.
  resumable(past, header);
  const opened = "snapshot" in source ? await openSnapshot(source.snapshot, from, request, host, client) : null;
  try {
    const restore: EtcdRestore = {
      as: "as" in source ? source.as : "snapshot",
      unit,
      units: idsOf("unit", [...installedGoals(past).values()]).map(({ name }) => name),
      checks: header.checks,
      client,
      at: basename(snapshotName(now()), ".db").replace("etcd-", ""),
      alone: last.alone,
      ...(opened === null ? {} : { snapshot: opened.snapshot }),
    };
    reporter.stage("restore", tellOf(source, opened?.told));
    const proposed = await lookAt(installation, header, restorePlan(restore));
    const bundle = { extract: async () => {} };
    await transact({ ...proposed, bundle, memory: new Map<never, never>(), origin: null }, request, context);
  } finally {
    if (opened?.isOurs === true) removeSnapshot(opened.snapshot.path);
  }
  if (request.dryRun) return;
  reporter.info("What was there before lies beside it, in the same folder, as kubeferry-before-…: ./install rollback");
  for (const line of nextOf(source)) reporter.info(line);
}

function tellOf(source: RestoreEtcdRequest["source"], told = ""): string {
  if ("snapshot" in source) return `${source.snapshot}: ${told}`;
  return source.as === "existing"
    ? "this member anew, from the others"
    : "a cluster of this member alone, of its own data";
}

function nextOf(source: RestoreEtcdRequest["source"]): string[] {
  if ("snapshot" in source)
    return ["Every other member: the same command with the same file; etcd serves once most of them have it."];
  if (source.as === "existing") return [];
  return ["Every other member, one after the other: ./install restore-etcd --initial-cluster-state existing"];
}

interface Opened {
  readonly snapshot: Snapshot;
  readonly told: string;
  /** An open copy that goes when the restore has ended. */
  readonly isOurs: boolean;
}

/** Opens a sealed one into the private folder beside the journal; its name is that of its digest, for a second run. */
async function openSnapshot(
  file: string,
  digest: string,
  { identity }: RestoreEtcdRequest,
  host: Host,
  client: EtcdWords,
): Promise<Opened> {
  const isOurs = isSealedFile(file);
  const path = isOurs ? join(snapshotFolder, `${digest.slice(0, 12)}.db.open`) : file;
  if (isOurs) {
    const key = await identity();
    if (key === null) {
      throw new ExpectedError("KEY_MISSING", "this snapshot is sealed and no key was given", {
        where: file,
        hint: "./install restore-etcd --snapshot FILE --key operator.key",
      });
    }
    await host.perform({ do: "mkdir", path: snapshotFolder, mode: 0o700, owner: { uid: 0, gid: 0 } });
    await openSealedFile(file, path, key);
  }
  try {
    const tool = await snapshotTool(host, client);
    const { revision, totalKey } = await snapshotStatus(host, tool, path, client.environment);
    const { stdout, stderr } = await host.query([tool, "snapshot", "restore", "--help"], {
      environment: { ...client.environment },
    });
    const bumps = `${stdout}${stderr}`.includes("--bump-revision");
    return {
      snapshot: { tool, path, digest: digestFile(path).digest, bumps },
      told: `${totalKey} keys, revision ${revision}`,
      isOurs,
    };
  } catch (error) {
    if (isOurs) removeSnapshot(path);
    throw error;
  }
}

function ownEtcdMissing(): ExpectedError {
  return new ExpectedError("USAGE", "there is no member of etcd on this host", { where: join(unitFolder, etcdUnit) });
}
