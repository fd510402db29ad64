/** Configuration files of daemons, as data: fields by version, and over them what cluster.yaml says of the daemon. */
import { stringify } from "yaml";
import { readsFields } from "../config/field-rules.ts";
import { isMapping } from "../config/own-manifests.ts";
import type { FileRow } from "./component.ts";
import type { NodeContext } from "./context.ts";
import { type FieldRow, given } from "./rows.ts";

/** The file of a daemon of Kubernetes' own, from the version on that reads one, in YAML. */
export function configuration(daemon: keyof typeof readsFields, name: string, rows: readonly FieldRow[]): FileRow {
  const text = (context: NodeContext): string => {
    const fields = merged(Object.fromEntries(given(rows, context, "kubernetes")), context.topology.cluster[daemon]);
    return stringify(fields, { lineWidth: 0, version: "1.1" });
  };
  return { name, since: readsFields[daemon], text };
}

/** Mappings are merged, field by field; anything else, lists too, takes the place of ours. */
export function merged(
  ours: Readonly<Record<string, unknown>>,
  theirs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...ours };
  for (const [name, value] of Object.entries(theirs)) {
    const own = ours[name];
    result[name] = isMapping(own) && isMapping(value) ? merged(own, value) : value;
  }
  return result;
}
