/** What a preflight check has to look at, and how it answers. */
import type { Bundle } from "#bundle";
import type { Facts } from "../../host/facts.ts";
import type { HostReader } from "../../host/host.ts";
import type { Transaction } from "../../journal/transaction.ts";
import type { Plan } from "../../operations/operation.ts";
import type { Selection } from "../../plan/select.ts";
import type { Finding } from "../check.ts";

export interface PreflightInput {
  readonly host: HostReader;
  readonly facts: Facts;
  readonly bundle: Pick<Bundle, "index" | "payloadDigest">;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly past: readonly Transaction[];
  /** Bytes that come to stay beside the journal: the installer's copy, and room for undo. */
  readonly kept: number;
  readonly now: Date;
}

/** Empty where the check does not apply: most do not with `--root`. */
export type Check = (input: PreflightInput) => Finding[] | Promise<Finding[]>;

export function ok(check: string, message: string): Finding {
  return { check, severity: "ok", message };
}

/** The specs of the plan's operations of a kind. */
export function specsOf<Spec>(plan: Plan, kind: string): Spec[] {
  return plan.phases.flatMap(({ operations }) =>
    operations.filter((one) => one.kind === kind).map(({ spec }) => spec as Spec),
  );
}

/** Names of units that Kubeferry has installed on this host: what they hold and listen on is ours. */
export function ownUnits(past: readonly Transaction[]): Set<string> {
  const present = past.filter(({ state }) => state !== "gone");
  const operations = present.flatMap(({ phases }) => phases.flatMap((phase) => phase.operations));
  return new Set(operations.filter(({ kind }) => kind === "unit").map(({ spec }) => (spec as { name: string }).name));
}

/** Kubernetes' version as [major, minor]; null for a release without it. */
export function minorOf(version: string | null): [number, number] | null {
  const match = /^v?(\d+)\.(\d+)/.exec(version ?? "");
  return match === null ? null : [Number(match[1]), Number(match[2])];
}
