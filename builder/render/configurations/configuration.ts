/** Configuration files of Kubernetes' daemons, as data: fields by version, and what cluster.yaml says of them. */
import { stringify } from "yaml";
import type { NodeContext } from "../context.ts";
import { given, type Row } from "../rows.ts";
import { merged } from "./merge.ts";

export type ConfiguredDaemon = "kubelet" | "kube-proxy" | "kube-scheduler";

/** A field at the top of a configuration: text, number, list or mapping. */
export type FieldRow = Row<unknown>;

/** The file's text, in YAML: our rows, and over them what cluster.yaml says of the daemon. */
export function configurationText(rows: readonly FieldRow[], context: NodeContext, daemon: ConfiguredDaemon): string {
  const fields = merged(Object.fromEntries(given(rows, context, "kubernetes")), context.topology.cluster[daemon]);
  return stringify(fields, { lineWidth: 0, version: "1.1" }).trimEnd();
}
