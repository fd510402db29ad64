/** What a rule between the fields of `cluster.yaml` says of it. */
import type { ClusterConfig } from "./cluster.ts";
import type { KeyPath } from "./positions.ts";

/** A broken rule; `path` is the field to correct. A warning stops nothing. */
export interface RuleFinding {
  readonly path: KeyPath;
  readonly severity: "error" | "warning";
  readonly message: string;
}

export type Rule = (cluster: ClusterConfig) => RuleFinding[];

export const error = (path: KeyPath, message: string): RuleFinding => ({ path, severity: "error", message });
export const warning = (path: KeyPath, message: string): RuleFinding => ({ path, severity: "warning", message });
