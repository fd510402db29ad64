/** Which flags each daemon has in which version: `manifests/flags.yaml`, and what it says about a cluster's flags. */
import { parse } from "yaml";
import * as z from "zod";
import type { ClusterConfig } from "./cluster.ts";
import { proposal } from "./explain.ts";
import { readManifest } from "./manifests.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type RuleFinding, warning } from "./rule.ts";
import { isSince } from "#formats/version";
import { versionOf } from "./versions.ts";

const version = z.string().regex(/^\d+\.\d+$/);
const schema = z.record(
  z.string(),
  z.record(
    z.string(),
    z.strictObject({ added: version.optional(), removed: version.optional(), now: z.string().optional() }),
  ),
);
export type FlagTable = z.infer<typeof schema>;

/** Reads the table. */
export function readFlagTable(): FlagTable {
  return schema.parse(parse(readManifest("flags.yaml") ?? ""));
}

/**
 * Every flag of `flags:` in cluster.yaml that the release's daemon does not have. What the table does not list may well
 * exist: a warning.
 */
export function flagFindings(cluster: Pick<ClusterConfig, "flags">, manifest: ReleaseManifest): RuleFinding[] {
  if (Object.keys(cluster.flags).length === 0) return [];
  const table = readFlagTable();
  return Object.entries(cluster.flags).flatMap(([daemon, flags]) =>
    Object.keys(flags).flatMap((flag) => doubtOf(table, daemon, flag, manifest) ?? []),
  );
}

/** What speaks against a flag of a daemon in a release; null when the table has it for that version. */
export function doubtOf(table: FlagTable, daemon: string, flag: string, manifest: ReleaseManifest): RuleFinding | null {
  const path = ["flags", daemon, flag];
  const flags = table[daemon];
  if (flags === undefined) {
    const daemons = Object.keys(table);
    return error(path, `there is no daemon ${daemon}${proposal(daemon, daemons)}; there are ${daemons.join(", ")}`);
  }
  const running = versionOf(componentOf(daemon), manifest);
  if (running === null) return error(path, `release ${manifest.release} has no ${daemon}`);
  const entry = flags[flag];
  if (entry === undefined) {
    const message = `${daemon} ${running}: --${flag} is in no table of Kubeferry's and is given as it is${proposal(flag, Object.keys(flags))}`;
    return warning(path, message);
  }
  if (entry.added !== undefined && !isSince(running, entry.added)) {
    return error(path, `${daemon} ${running} has no flag --${flag} yet: it came with ${entry.added}`);
  }
  if (entry.removed !== undefined && isSince(running, entry.removed)) {
    const now = entry.now === undefined ? "" : `; write ${entry.now}`;
    return error(path, `${daemon} ${running} has no flag --${flag} any more: it went with ${entry.removed}${now}`);
  }
  return null;
}

/** The component whose version a daemon has: Kubernetes' own daemons are all of one. */
export function componentOf(daemon: string): string {
  return { etcd: "etcd", flanneld: "flannel" }[daemon] ?? "kubernetes";
}
