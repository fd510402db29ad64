/** What a preflight check has to look at, and how it answers. */
import type { Bundle } from "#bundle";
import type { Finding } from "#cli/finding";
import type { Facts } from "../../host/facts.ts";
import type { HostReader } from "../../host/host.ts";
import type { Transaction } from "../../journal/transaction.ts";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import type { Plan } from "../../resources/resource.ts";
import type { Selection } from "../../plan/select.ts";

export interface PreflightInput {
  readonly host: HostReader;
  readonly facts: Facts;
  readonly bundle: Pick<Bundle, "index" | "payloadDigest" | "contents">;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly past: readonly Transaction[];
  /** Bytes that come to stay beside the journal: the installer's copy, and room for undo. */
  readonly kept: number;
  readonly now: Date;
}

/** Empty where the check does not apply: most do not with `--root`. */
export type Check = (input: PreflightInput) => Finding[] | Promise<Finding[]>;

/** Names of units that Kubeferry has installed on this host: what they hold and listen on is ours. */
export function ownUnits(past: readonly Transaction[]): Set<string> {
  const present = past.filter(({ state }) => state !== "gone");
  return new Set(idsOf("unit", present.flatMap(goalsIn)).map(({ name }) => name));
}
