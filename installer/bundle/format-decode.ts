/** From the bytes of a stranger's `bundle.json` to an index, entry by entry: the first that is wrong ends it. */
import * as z from "zod";
import { ExpectedError } from "#cli/errors";
import { boundedJson } from "./bounded-json.ts";
import { type BundleIndex, bundleIndex, formatVersion } from "./format.ts";

/** FORMAT_TOO_NEW, ARCHIVE_BOMB, or FORMAT_INVALID with the problems of the first entry that has any. */
export function decodeIndex(text: string | Buffer, where: string): BundleIndex {
  const value = boundedJson(typeof text === "string" ? Buffer.from(text) : text, where);
  const version = (value as { format?: unknown } | null)?.format;
  if (typeof version === "number" && version > formatVersion) {
    throw new ExpectedError("FORMAT_TOO_NEW", "this bundle was made by a newer Kubeferry", {
      where,
      expected: `format ${formatVersion} or older`,
      found: `format ${version}`,
      hint: "use the ./install that is in the bundle, or a newer kubeferry",
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid([["", "wants an object"]], where);
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(bundleIndex.shape, key));
  if (unknown !== undefined) throw invalid([[unknown.slice(0, 100), "is no key of it"]], where);
  const found = value as Readonly<Record<string, unknown>>;
  const decoded = Object.entries(bundleIndex.shape).map(([key, schema]) => [key, part(schema, found[key], key, where)]);
  return Object.fromEntries(decoded.filter(([, one]) => one !== undefined)) as BundleIndex;
}

/** One key's value. Of a list or a table each entry by itself: a schema would collect what is wrong with all of a million. */
function part(schema: z.ZodType, value: unknown, key: string, where: string): unknown {
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const element = schema.element as z.ZodType;
    return value.map((entry, at) => checked(element, entry, `${key}.${at}`, where));
  }
  if (schema instanceof z.ZodRecord && isTable(value)) {
    const [name, entry] = [schema.keyType as z.ZodType, schema.valueType as z.ZodType];
    const entries = Object.entries(value).map(([at, one]) => [
      checked(name, at, key, where),
      checked(entry, one, `${key}.${at.slice(0, 100)}`, where),
    ]);
    return Object.fromEntries(entries);
  }
  return checked(schema, value, key, where);
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checked(schema: z.ZodType, value: unknown, path: string, where: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue): [string, string] => [
    [path, ...issue.path].join("."),
    issue.message.slice(0, 300),
  ]);
  throw invalid(issues, where);
}

function invalid(problems: readonly (readonly [path: string, message: string])[], where: string): ExpectedError {
  const said = problems.slice(0, 5).map(([path, message]) => `${path}: ${message}`);
  return new ExpectedError("FORMAT_INVALID", `bundle.json is not of format ${formatVersion}: ${said.join("; ")}`, {
    where,
  });
}
