/** Plans for etcd's data: restored from a snapshot, made a cluster of their own, or got anew of the other members. Pure. */
import type { CheckEntry } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { goal } from "../resources/catalogue.ts";
import { type EtcdDataId, freshIn } from "../resources/etcd-data.ts";
import { execStart, valueOf } from "../resources/etcd-start.ts";
import type { EtcdStart, EtcdWords, Hook, Phase, Plan } from "../resources/resource.ts";
import { etcdUnit } from "./upgrade.ts";

/** What reads etcd's data through the API server, in the order in which it is started. */
const readers = ["kube-apiserver.service", "kube-controller-manager.service", "kube-scheduler.service"];

export interface EtcdRestore {
  /** `snapshot`: every member from the same file. */
  readonly as: "snapshot" | EtcdStart;
  /** Text of the installed unit. */
  readonly unit: string;
  /** Names of the units that are installed here. */
  readonly units: readonly string[];
  readonly checks: readonly CheckEntry[];
  readonly client: EtcdWords;
  readonly at: string;
  readonly alone: boolean;
  /** For `snapshot`. */
  readonly snapshot?: Snapshot;
}

export interface Snapshot {
  /** etcdutl or etcdctl. */
  readonly tool: string;
  /** The open file. */
  readonly path: string;
  /** Of its content. */
  readonly digest: string;
  /** Whether the tool knows `--bump-revision`: then no watcher takes an older revision for a newer one. */
  readonly bumps: boolean;
}

/** Revisions that no cluster has reached by the time it is restored, as etcd's documentation has them. */
const bump = ["--bump-revision=1000000000", "--mark-compacted"];

/** What reads etcd stops first, and starts again last. */
export function restorePlan(restore: EtcdRestore): Plan {
  const { as, units, checks, client, alone } = restore;
  const stopped = readers.filter((name) => units.includes(name));
  const gatesOf = (names: readonly string[]): string[] =>
    checks.filter(({ unit }) => unit !== undefined && names.includes(withSuffix(unit))).map(({ name }) => name);
  const starts: Hook =
    as === "snapshot" ? { hook: "start", units: [etcdUnit], noBlock: !alone } : { hook: "etcd", as, client };
  const data: Phase = { name: "etcd's data", goals: [goal("etcd-data", dataOf(restore, stopped))], gates: [] };
  const etcd: Phase = { name: "start etcd", goals: [], gates: gatesOf([etcdUnit]), hooks: [starts] };
  if (stopped.length === 0) return { phases: [data, etcd] };
  const api: Phase = {
    name: `start ${stopped.map((name) => name.replace(/\.service$/, "")).join(" ")}`,
    goals: [],
    gates: gatesOf(stopped),
    hooks: [{ hook: "start", units: stopped, noBlock: !alone }],
  };
  return { phases: [data, etcd, api] };
}

/** An installation whose member joins a cluster that runs. */
export function joining(plan: Plan, client: EtcdWords): Plan {
  const hook: Hook = { hook: "etcd", as: "existing", client };
  const phases = plan.phases.map((phase) =>
    phase.name.startsWith("start ") && phase.name.split(" ").includes("etcd")
      ? { ...phase, hooks: [...(phase.hooks ?? []), hook] }
      : phase,
  );
  return { phases };
}

function dataOf(restore: EtcdRestore, stopped: readonly string[]): EtcdDataId {
  const words = execStart(restore.unit);
  const [dataDir, walDir] = [valueOf(words, "data-dir"), valueOf(words, "wal-dir") || null];
  const { at, as } = restore;
  const make =
    as === "existing" ? "none" : as === "force-new-cluster" ? "copy" : makeOf(restore, words, dataDir, walDir);
  return { dataDir, walDir, at, make, units: [...stopped.toReversed(), etcdUnit] };
}

/**
 * The member as its unit describes it: so every member of the cluster gets the same data under its own name. The token makes
 * it another cluster than the one before: members whose turn is yet to come have the same names and addresses, and would tell
 * a restored one what it is to forget, or that it was removed.
 */
function makeOf(
  { snapshot, at, client }: EtcdRestore,
  words: readonly string[],
  dataDir: string,
  walDir: string | null,
): EtcdDataId["make"] {
  if (snapshot === undefined) throw new ExpectedError("USAGE", "which snapshot?", { hint: "--snapshot FILE" });
  const same = ["name", "initial-cluster", "initial-advertise-peer-urls"];
  const argv = [
    ...[snapshot.tool, "snapshot", "restore", snapshot.path],
    ...same.map((name) => `--${name}=${valueOf(words, name)}`),
    `--initial-cluster-token=${valueOf(words, "initial-cluster-token")}-${snapshot.digest.slice(0, 12)}`,
    `--data-dir=${freshIn(dataDir, at)}`,
    ...(walDir === null ? [] : [`--wal-dir=${freshIn(walDir, at)}`]),
    ...(snapshot.bumps ? bump : []),
  ];
  return { argv, environment: { ...client.environment } };
}

function withSuffix(unit: string): string {
  return unit.endsWith(".service") ? unit : `${unit}.service`;
}
