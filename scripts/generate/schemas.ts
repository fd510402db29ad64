/** JSON Schemas of the files that people and other programs read or write, from the zod schemas. */
import * as z from "zod";
import { bundleIndex } from "#bundle";
import { clusterSchema } from "../../builder/config/cluster.ts";
import { descriptions } from "../../builder/config/descriptions.ts";
import { releaseManifest } from "../../builder/config/release.ts";
import { lockSchema } from "../../builder/lock/lock.ts";
import { outputRecord } from "../../builder/output-records.ts";
import { roadSchema } from "../../builder/road/record.ts";

export interface JsonSchema {
  description?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  type?: string | string[];
  required?: string[];
  default?: unknown;
  enum?: unknown[];
  const?: string;
  anyOf?: JsonSchema[];
}

export function clusterJsonSchema(): JsonSchema {
  const cluster = jsonSchema(clusterSchema, "input", "Kubeferry's cluster.yaml");
  describe(cluster, "");
  return cluster;
}

/** Path below the repository → text. */
export function schemaFiles(): Record<string, string> {
  return {
    "manifests/schema/cluster.schema.json": text(clusterJsonSchema()),
    "manifests/schema/release.schema.json": text(
      jsonSchema(releaseManifest, "input", "A release manifest of Kubeferry"),
    ),
    "manifests/schema/lock.schema.json": text(jsonSchema(lockSchema, "input", "Kubeferry's cluster.lock")),
    "manifests/schema/road.schema.json": text(
      jsonSchema(roadSchema, "input", "road.json beside the bundles of a road"),
    ),
    "manifests/schema/output.schema.json": text(
      jsonSchema(outputRecord, "input", "One line of what kubeferry and ./install print with --json"),
    ),
    "manifests/schema/bundle.schema.json": text(jsonSchema(bundleIndex, "output", "bundle.json of a Kubeferry bundle")),
  };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output", title: string): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      // The only custom type is a digest.
      if (zodSchema instanceof z.ZodCustom) Object.assign(jsonSchema, { type: "string", pattern: "^[0-9a-f]{64}$" });
    },
  });
  return { $schema, title, ...rest } as JsonSchema;
}

function describe(schema: JsonSchema, path: string): void {
  const text = descriptions[path];
  if (text !== undefined) schema.description = text;
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    describe(inner, path === "" ? key : `${path}.${key}`);
  }
  if (schema.items !== undefined)
    for (const [key, inner] of Object.entries(schema.items.properties ?? {})) describe(inner, `${path}.${key}`);
}

function text(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
