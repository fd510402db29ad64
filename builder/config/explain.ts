/** Schema violations in plain words, with a proposal for a mistyped key. */
import * as z from "zod";
import type { KeyPath, LocatedYaml, Problem } from "./positions.ts";

/** Everything that `schema` finds wrong with a file, placed. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], yaml: LocatedYaml, schema: z.ZodType): Problem[] {
  let shape: JsonSchema | undefined;
  return issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code === "unrecognized_keys") {
      shape ??= z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
      const known = Object.keys(shapeAt(shape, path)?.properties ?? {});
      return issue.keys.map((key) => ({
        ...yaml.locate([...path, key], true),
        message: `${inPath(path)}unknown key \`${key}\`${proposal(key, known)}`,
      }));
    }
    if (issue.code === "invalid_key") {
      const why = issue.issues[0]?.message ?? issue.message;
      return [{ ...yaml.locate(path, true), message: `the key \`${path.join(".")}\` ${why}` }];
    }
    const found = valueAt(yaml.value, path);
    if (path.length === 0 && issue.code === "invalid_type") {
      return [{ ...yaml.locate(path), message: `the file wants a mapping, found ${show(found)}` }];
    }
    return [{ ...yaml.locate(path), message: `\`${path.join(".")}\` ${wanted(issue, found)}` }];
  });
}

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

function shapeAt(schema: JsonSchema, path: KeyPath): JsonSchema | undefined {
  let here: JsonSchema | undefined = schema;
  for (const part of path) {
    if (typeof part === "number") here = here?.items;
    else if (here?.properties?.[part] !== undefined) here = here.properties[part];
    else here = typeof here?.additionalProperties === "object" ? here.additionalProperties : undefined;
  }
  return here;
}

function wanted(issue: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return "is missing";
  const shown = `, found ${show(found)}`;
  switch (issue.code) {
    case "invalid_type":
      // What YAML took for a number (0644), or for a truth, was meant as text.
      if (issue.expected === "string" && typeof found !== "object") return `wants text, in quotes${shown}`;
      return `wants ${typeNames[issue.expected] ?? issue.expected}${shown}`;
    case "invalid_value": {
      const values = issue.values.map(String);
      return `wants ${values.length === 1 ? values[0] : `one of ${values.join(", ")}`}${shown}${typeof found === "string" ? proposal(found, values) : ""}`;
    }
    case "invalid_format":
      return `${issue.message}${shown}`;
    case "too_small":
      return `wants ${issue.origin === "array" ? `at least ${issue.minimum} ${issue.minimum === 1 ? "entry" : "entries"}` : `${issue.minimum} or more`}${shown}`;
    case "too_big":
      return `wants ${issue.maximum} or less${shown}`;
    default:
      return `${issue.message}${shown}`;
  }
}

const typeNames: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function inPath(path: KeyPath): string {
  return path.length === 0 ? "" : `in \`${path.join(".")}\`: `;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((here, part) => {
    if (here === null || typeof here !== "object") return undefined;
    return Object.hasOwn(here, part) ? (here as Record<string | number, unknown>)[part] : undefined;
  }, value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.replace(/^(.{57}).{4,}$/s, "$1…");
}

/**
 * `; did you mean \`roles\`?` when one of `known` is near, else nothing. A version is not a typing mistake: where there are
 * digits, only what has the same ones is near (in another order perhaps), or what the word is a part of (`1.36`) or a patch of (`kubernetes-1.36.3`).
 */
export function proposal(word: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3)))
    .toSorted((a, b) => a.edits - b.edits)[0];
  return near === undefined ? "" : `; did you mean \`${near.candidate}\`?`;
}

function editsBetween(word: string, candidate: string): number {
  const digits = (text: string): string => text.replaceAll(/\D/g, "").split("").toSorted().join("");
  if (digits(word) === "") return distance(word, candidate);
  if (word.startsWith(`${candidate}.`) || candidate.endsWith(`-${word}`)) return 0;
  return digits(word) === digits(candidate) ? distance(word, candidate) : Infinity;
}

/** Levenshtein's distance with swaps of neighbours counted as one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
