/** `./install snapshot`: a copy of etcd's data, whole and readable, sealed for the operator, and the oldest ones removed. */
import { join } from "node:path";
import { decodeIndex, sealFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { ownEtcd, snapshotStatus, snapshotTool } from "../cluster/ask-etcd.ts";
import type { Context } from "../context.ts";
import type { Effect } from "../host/effect.ts";
import { readKept } from "../journal/kept-bundle.ts";
import {
  pruneSnapshots,
  removeSnapshot,
  snapshotFolder,
  snapshotName,
  snapshotsIn,
  tooMany,
} from "../journal/snapshots.ts";
import { describeEffect, effectRecord } from "../plan/print.ts";
import { type Installation, openInstalled } from "../transaction/installation.ts";

export interface SnapshotRequest {
  /** How many stay, this one included. Null: all. */
  readonly keep: number | null;
  /** Further recipients of age: `age1…`. */
  readonly recipients: readonly string[];
  /** Unsealed, where the bundle names nobody to seal it for. */
  readonly plaintext: boolean;
  readonly dryRun: boolean;
}

/** NOT_INSTALLED, USAGE where no member is installed, UNHEALTHY where etcd does not give its data, NO_SPACE. */
export async function snapshot(request: SnapshotRequest, context: Context): Promise<void> {
  const { reporter, now } = context;
  const installation = openInstalled("/");
  const { host, state } = installation;
  const client = ownEtcd(installation.past);
  const { environment } = client;
  const recipients = request.plaintext ? [] : recipientsOf(installation, request.recipients);
  const open = join(snapshotFolder, snapshotName(now()));
  // Under another name until it is sealed: it is not counted, and the next run removes what a power cut left.
  const target = recipients.length === 0 ? open : `${open}.open`;
  const effects: Effect[] = [
    { do: "mkdir", path: snapshotFolder, mode: 0o700, owner: { uid: 0, gid: 0 } },
    { do: "run", argv: [...client.argv, "snapshot", "save", target], environment, timeoutSeconds: 1800 },
  ];
  const folder = join(state.folder, "snapshots");
  reporter.stage("snapshot", recipients.length === 0 ? open : `${open}.age, for ${recipients.join(", ")}`);
  if (request.dryRun) {
    for (const effect of effects) {
      reporter.record("effect", { ...effectRecord(effect) });
      reporter.info(`  ${describeEffect(effect)}`);
    }
    const gone = request.keep === null ? [] : tooMany([...snapshotsIn(folder), target], request.keep);
    for (const name of gone) reporter.info(`  remove    ${join(snapshotFolder, name)}`);
    return;
  }
  try {
    for (const effect of effects) await host.perform(effect);
  } catch (error) {
    removeSnapshot(target);
    removeSnapshot(`${target}.part`);
    throw error;
  }
  const status = await snapshotStatus(host, await snapshotTool(host, client), target, environment);
  const path = recipients.length === 0 ? open : `${open}.age`;
  if (path !== target) {
    try {
      await sealFile(target, path, recipients);
    } finally {
      removeSnapshot(target);
    }
  }
  const removed = request.keep === null ? [] : pruneSnapshots(folder, request.keep, now());
  const { revision, totalKey, totalSize } = status;
  reporter.record("snapshot", { path, revision, keys: totalKey, size: totalSize, recipients, removed });
  for (const name of removed) reporter.info(`  removed   ${name}`);
  reporter.stage("done", `${formatBytes(totalSize)}, ${totalKey} keys, revision ${revision}: ${path}`);
  reporter.info("It lies on this host. Copy it to where the host's loss does not take it along.");
}

/**
 * The operator's, as the installed bundle has them: every node's secrets are sealed for that node first, and for the
 * operator and who else was named after it. The node's own key is on the node, and opens no snapshot.
 */
function recipientsOf({ state, current }: Installation, given: readonly string[]): string[] {
  for (const { header } of current.toReversed()) {
    const { index } = readKept(state.folder, header.bundle.payload);
    if (index === null) continue;
    const secret = decodeIndex(index, header.bundle.where).secrets.find(({ node }) => node === header.node.profile);
    const others = [...(secret?.recipients.slice(1) ?? []), ...given];
    if (others.length > 0) return [...new Set(others)];
  }
  if (given.length > 0) return [...new Set(given)];
  throw new ExpectedError("KEY_MISSING", "nobody is known for whom the snapshot could be sealed", {
    expected: "the operator's recipient in the installed bundle's index, or --recipient age1…",
    found: "a bundle with --plaintext-secrets",
    hint: "./install snapshot --recipient age1…   or, where anybody may read every Secret: --plaintext",
  });
}
