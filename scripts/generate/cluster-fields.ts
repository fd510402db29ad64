/** Every field of cluster.yaml from its JSON Schema: docs/cluster.yaml.md and kubeferry-cluster.yaml(5) are made of it. */
import { clusterJsonSchema, type JsonSchema } from "./schemas.ts";

export interface ClusterField {
  /** `network.pods`; `nodes[].ip` of each node. */
  readonly path: string;
  /** `text`, `list of number`, `one of keep, disable`. */
  readonly kind: string;
  readonly isRequired: boolean;
  /** As YAML has it; null: none. */
  readonly preset: string | null;
  readonly description: string;
}

export function clusterFields(): ClusterField[] {
  return fieldsBelow(clusterJsonSchema(), "");
}

/** Every field of a schema, those of lists and inner objects after their own; `path` stands before each. */
export function fieldsBelow(schema: JsonSchema, path: string): ClusterField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const { description = "", default: preset } = field;
    const isShown = preset !== undefined && JSON.stringify(preset) !== "{}";
    const one: ClusterField = {
      path: at,
      kind: kindOf(field),
      isRequired: (schema.required ?? []).includes(key),
      preset: isShown ? (typeof preset === "string" ? preset : JSON.stringify(preset)) : null,
      description,
    };
    return [one, ...fieldsBelow(field, at), ...fieldsBelow(field.items ?? {}, `${at}[]`)];
  });
}

function kindOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (schema.const !== undefined) return schema.const;
  switch ([schema.type].flat()[0]) {
    case "array":
      return `list of ${kindOf(schema.items ?? {})}`.replace("list of one of", "list of");
    case "object":
      return schema.properties === undefined ? "map" : "fields";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "true or false";
    default:
      return "text";
  }
}
