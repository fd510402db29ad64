/** A bundle over another one: the same plan, with a snapshot before it and what is no longer wanted after it. Pure. */
import type { CheckEntry } from "#bundle";
import { currentTransactions, installedGoals } from "../journal/installed.ts";
import { statePath } from "../journal/state.ts";
import type { Transaction } from "../journal/transaction.ts";
import { goalsIn, idsOf } from "../resources/catalogue.ts";
import type { EtcdWords, Goal, Phase, Plan } from "../resources/resource.ts";
import type { UnitId } from "../resources/unit.ts";
import { type RetireInput, withRetirement } from "./retire.ts";

export interface UpgradeInput extends RetireInput {
  readonly now: Date;
}

export const etcdUnit = "etcd.service";

/** The installations of other bundles that this one goes over: those that share a role with it. Oldest first. */
export function olderInstallations({
  past,
  payload,
  roles,
}: Pick<UpgradeInput, "past" | "payload" | "roles">): Transaction[] {
  return currentTransactions(past).filter(
    ({ header }) => header.bundle.payload !== payload && header.roles.some((role) => roles.includes(role)),
  );
}

/** The plan for a host that has an older bundle; `planned` itself for one that has none. */
export function overOlder(input: UpgradeInput): Plan {
  if (olderInstallations(input).length === 0) return input.planned;
  const plan = withRetirement(input);
  const before = snapshotPhase(input);
  return before === null ? plan : { phases: [before, ...plan.phases] };
}

/** How the installed health check asks etcd: program, endpoint, certificate. Null where none is installed. */
export function etcdClient(past: readonly Transaction[]): EtcdWords | null {
  const checks = currentTransactions(past)
    .toReversed()
    .flatMap(({ header }) => header.checks);
  return etcdClientIn(checks);
}

/** The same, of one installation's checks. */
export function etcdClientIn(checks: readonly CheckEntry[]): EtcdWords | null {
  const check = checks.find(
    ({ unit, argv }) => (unit === etcdUnit || unit === "etcd") && argv.includes("endpoint") && argv.includes("health"),
  );
  if (check === undefined) return null;
  return { argv: check.argv.slice(0, check.argv.indexOf("endpoint")), environment: check.environment };
}

function snapshotPhase({ planned, past, live, now }: UpgradeInput): Phase | null {
  const client = etcdClient(past);
  if (!live || client === null || !willChange(etcdUnit, planned, past)) return null;
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const path = `${statePath}/snapshots/etcd-${time}.db`;
  const { argv, environment } = client;
  const hook = { hook: "snapshot" as const, unit: etcdUnit, path, client: argv, environment };
  return { name: "snapshot", goals: [], gates: [], hooks: [hook] };
}

/** Whether a unit is installed and gets other files, by what was installed. */
export function willChange(name: string, planned: Plan, past: readonly Transaction[]): boolean {
  const named = (goals: Iterable<Goal>): UnitId | undefined =>
    idsOf("unit", [...goals]).find((one) => one.name === name);
  const [found, next] = [named(installedGoals(past).values()), named(goalsIn(planned))];
  if (found === undefined || next === undefined) return false;
  const key = ({ restartOn }: UnitId): string => JSON.stringify(restartOn.map(({ path, digest }) => [path, digest]));
  return key(found) !== key(next);
}
