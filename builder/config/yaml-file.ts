/** Reads YAML files of ours and tells everything that is wrong with one at once, each with file:line:column. */
import { readFile } from "node:fs/promises";
import type * as z from "zod";
import { type ErrorCode, ExpectedError, messageOf } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import { explainIssues } from "./explain.ts";
import { type LocatedYaml, parseLocated, type Problem } from "./positions.ts";

/** More than any of our files has; a larger one is a mistake or an attack. */
const largest = 16 * 1024 * 1024;

export interface LoadOptions {
  /** Code of the error when the content is not of the schema: `RELEASE_INVALID`, `LOCK_INVALID`. */
  readonly invalid?: ErrorCode;
  /** What to do next, beside the places themselves. */
  readonly hint?: string;
}

/**
 * The value in a YAML file, with the schema's defaults.
 *
 * `text` is taken instead of the file's content where it is given; `path` then only names it.
 * Throws CONFIG_UNREADABLE, CONFIG_SYNTAX (not YAML, duplicate keys, aliases), or CONFIG_INVALID (or
 * `options.invalid`), whose message lists every problem on a line of its own.
 */
export async function loadYaml<T>(
  path: string,
  schema: z.ZodType<T>,
  text?: string,
  options: LoadOptions = {},
): Promise<T> {
  return parseYaml(path, schema, text ?? (await readText(path)), options).value;
}

/** {@link loadYaml} for text in hand; also gives the places of the values. */
export function parseYaml<T>(
  path: string,
  schema: z.ZodType<T>,
  text: string,
  options: LoadOptions = {},
): { value: T; yaml: LocatedYaml } {
  let yaml: LocatedYaml;
  try {
    yaml = parseLocated(text);
  } catch (cause) {
    // The parser is recursive: nesting that no hand wrote ends here.
    throw new ExpectedError("CONFIG_SYNTAX", `not YAML: ${messageOf(cause)}`, { where: path, cause });
  }
  if (yaml.problems.length > 0) fail("CONFIG_SYNTAX", path, yaml.problems, options.hint);
  const result = schema.safeParse(yaml.value);
  if (!result.success) {
    fail(options.invalid ?? "CONFIG_INVALID", path, explainIssues(result.error.issues, yaml, schema), options.hint);
  }
  return { value: result.data, yaml };
}

/** A file's text (UTF-8, at most 16 MiB); CONFIG_UNREADABLE otherwise, with `whenMissing` as what to do next. */
export async function readText(path: string, whenMissing = "kubeferry init -o cluster.yaml"): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > largest)
      throw new RangeError(`${bytes.length} bytes are more than the ${largest} that are taken`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new ExpectedError(
      "CONFIG_UNREADABLE",
      missing ? `there is no file ${path}` : `cannot read ${path}: ${whyUnreadable(cause)}`,
      { where: path, cause, hint: missing ? whenMissing : "give the path of the file itself, which is text" },
    );
  }
}

/** Problems as `file:line:column: message`, in the order of the file. */
export function lines(path: string, problems: readonly Problem[]): string[] {
  return inOrder(problems).map((one) => `${placeOf(path, one)}: ${one.message}`);
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function placeOf(path: string, { line, column }: Problem): string {
  return `${path}:${line}:${column}`;
}

/** Throws one error that lists every problem on a line of its own. */
export function fail(code: ErrorCode, path: string, problems: readonly Problem[], hint: string | undefined): never {
  const all = inOrder(problems).map((one) => ({ where: placeOf(path, one), message: one.message }));
  const count = all.length === 1 ? "1 problem" : `${all.length} problems`;
  throw new ExpectedError(code, `${count} in ${path}`, { where: all[0]?.where ?? path, problems: all, hint });
}
