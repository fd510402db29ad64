/** Configuration files of Kubernetes' daemons, as data: fields by version, and what cluster.yaml says of them. */
import { stringify } from "yaml";
import type { NodeContext } from "../context.ts";
import { given, type Row } from "../rows.ts";

/** A field at the top of a configuration: text, number, list or mapping. */
export type FieldRow = Row<unknown>;

/** The file's text, in YAML. */
export function configurationText(rows: readonly FieldRow[], context: NodeContext): string {
  return stringify(Object.fromEntries(given(rows, context, "kubernetes")), { lineWidth: 0, version: "1.1" }).trimEnd();
}
