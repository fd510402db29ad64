/** Which flags each daemon has in which version: `manifests/flags.yaml`, and what it says about a cluster's flags. */
import { parse } from "yaml";
import * as z from "zod";
import type { ClusterConfig } from "./cluster.ts";
import { proposal } from "./explain.ts";
import { readManifest } from "./manifests.ts";
import type { ReleaseManifest } from "./release.ts";
import { isSince, versionOf } from "./versions.ts";

const version = z.string().regex(/^\d+\.\d+$/);
const schema = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ added: version.optional(), removed: version.optional() })),
);
export type FlagTable = z.infer<typeof schema>;

/** What is wrong with one flag. */
export interface FlagFinding {
  readonly daemon: string;
  readonly flag: string;
  readonly message: string;
}

/** Reads the table. */
export function readFlagTable(): FlagTable {
  return schema.parse(parse(readManifest("flags.yaml") ?? ""));
}

/** Every flag of `flags:` in cluster.yaml that the release's daemon does not have. */
export function flagFindings(cluster: Pick<ClusterConfig, "flags">, manifest: ReleaseManifest): FlagFinding[] {
  if (Object.keys(cluster.flags).length === 0) return [];
  const table = readFlagTable();
  return Object.entries(cluster.flags).flatMap(([daemon, flags]) =>
    Object.keys(flags).flatMap((flag) => {
      const message = whyUnknown(table, daemon, flag, manifest);
      return message === null ? [] : [{ daemon, flag, message }];
    }),
  );
}

/** Why a daemon of a release does not know a flag; null when it does. */
export function whyUnknown(table: FlagTable, daemon: string, flag: string, manifest: ReleaseManifest): string | null {
  const flags = table[daemon];
  if (flags === undefined) {
    const daemons = Object.keys(table);
    return `there is no daemon ${daemon}${proposal(daemon, daemons)}; there are ${daemons.join(", ")}`;
  }
  const running = versionOf(componentOf(daemon), manifest);
  if (running === null) return `release ${manifest.release} has no ${daemon}`;
  const entry = flags[flag];
  if (entry === undefined) {
    return `${daemon} ${running}: --${flag} is not in the table of flags (manifests/flags.yaml)${proposal(flag, Object.keys(flags))}`;
  }
  if (entry.added !== undefined && !isSince(running, entry.added)) {
    return `${daemon} ${running} has no flag --${flag} yet: it came with ${entry.added}`;
  }
  if (entry.removed !== undefined && isSince(running, entry.removed)) {
    return `${daemon} ${running} has no flag --${flag} any more: it went with ${entry.removed}`;
  }
  return null;
}

/** The component whose version a daemon has: Kubernetes' own daemons are all of one. */
export function componentOf(daemon: string): string {
  return { etcd: "etcd", flanneld: "flannel" }[daemon] ?? "kubernetes";
}
