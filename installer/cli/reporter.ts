/**
 * What a command tells: to people as lines (with progress on a terminal), to machines as NDJSON.
 *
 * With `json`, stdout carries one JSON object a line and human-readable output goes to stderr.
 */
import { type ExpectedError, redact } from "./errors.ts";
import { english, type Language, named } from "./language/language.ts";
import { createProgress } from "./progress.ts";

export interface Writer {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface Reporter {
  readonly json: boolean;
  /** In which people are told. */
  readonly language: Language;
  /** A stage of the main flow begins, in the words of the design: `verify  every byte`. */
  stage(name: string, what: string): void;
  /** A line for people. */
  info(text: string): void;
  warn(text: string): void;
  /** Progress of one named thing; `total` null when unknown. Drawn on a terminal, told every ten seconds in a log and to machines. */
  progress(task: string, done: number, total: number | null, unit?: "bytes" | "items"): void;
  /** A record for machines; people do not see it. `type` names the record's shape. */
  record(type: string, data: Record<string, unknown>): void;
  error(error: ExpectedError): void;
}

export interface ReporterOptions {
  readonly json?: boolean;
  /** Colours on those writers that are terminals. */
  readonly colour?: boolean;
  /** The terminal only prints (TERM=dumb): no line of it can be drawn over. */
  readonly dumb?: boolean;
  readonly language?: Language | undefined;
  readonly out: Writer;
  readonly err: Writer;
  readonly now?: () => number;
}

export function createReporter(options: ReporterOptions): Reporter {
  const json = options.json ?? false;
  const language = options.language ?? english;
  const people = json ? options.err : options.out;
  const paintOn = (writer: Writer): Paint => painter(options.colour === true && writer.isTTY === true);
  const [paint, paintError] = [paintOn(people), paintOn(options.err)];
  const draws = options.err.isTTY === true && options.dumb !== true;
  const progress = createProgress({
    language,
    terminal: draws ? options.err : null,
    heartbeat(progressed, text) {
      record("progress", { ...progressed });
      if (!draws) line(options.err, text);
    },
    now: options.now ?? (() => performance.now()),
  });

  function line(writer: Writer, text: string): void {
    progress.clear();
    writer.write(`${visible(redact(text))}\n`);
  }
  function record(type: string, data: Record<string, unknown>): void {
    if (json) options.out.write(`${redact(JSON.stringify({ type, ...data }))}\n`);
  }

  return {
    json,
    language,
    record,
    stage(name, what) {
      record("stage", { name, what });
      line(people, `${paint(name.padEnd(10), "bold")} ${language.say(what)}`);
    },
    info(text) {
      // What is indented is a list of names, changes or another program's lines.
      line(people, text.startsWith("  ") ? text : language.say(text));
    },
    warn(text) {
      record("warning", { message: text });
      line(options.err, `${paintError(language.say("warning:"), "yellow")} ${language.say(text)}`);
    },
    progress(task, done, total, unit = "bytes") {
      progress.report({ task, done, total, unit });
    },
    error(error) {
      record("error", {
        code: error.code,
        message: error.summary,
        ...(error.problems.length > 0 && { problems: error.problems }),
        where: error.where,
        expected: error.expected,
        found: error.found,
        hint: error.hint,
        exitCode: error.exitCode,
      });
      line(options.err, describeError(error, paintError, language));
    },
  };
}

/** An error as people read it: what, where, expected and found one under the other, what to do. */
function describeError(error: ExpectedError, paint: Paint, language: Language): string {
  const { say } = language;
  const lines = [`${paint(say("error"), "red")} ${named(error.code, language)}${say(": ")}${whatIsWrong(error, say)}`];
  // A line break in a name stays below its own word, and begins no line that looks like ours.
  const below = (text: string): string => text.replaceAll("\n", "\n          ");
  if (error.where !== undefined) lines.push(`${say("   where: ")}${below(error.where)}`);
  if (error.expected !== undefined) lines.push(`${say("  expected: ")}${below(say(error.expected))}`);
  if (error.found !== undefined) lines.push(`${say("   found: ")}${below(say(error.found))}`);
  if (error.hint !== undefined) lines.push(`${say("    next: ")}${say(error.hint)}`);
  return lines.join("\n");
}

/** The error's message, each of several problems on a line of its own. */
function whatIsWrong({ summary, problems }: ExpectedError, say: Language["say"]): string {
  const lines = problems.map(({ where, message }) => `\n  ${where === undefined ? "" : `${where}: `}${say(message)}`);
  return `${say(summary)}${problems.length === 0 ? "" : say(":")}${lines.join("")}`;
}

/**
 * A text with what a terminal would obey, or show in another order, made visible: names in a hostile bundle could erase an
 * error and print success. Only the colours of {@link painter} stay.
 */
export function visible(text: string): string {
  const obeyed =
    /\x1b(?!\[(?:0|1|2|31|32|33)m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
  return text.replaceAll(obeyed, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

type Style = "bold" | "red" | "yellow" | "green" | "dim";
export type Paint = (text: string, style: Style) => string;
const escapes: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

/** Colours text where colours are wanted (a terminal, NO_COLOR unset). */
function painter(colour: boolean): Paint {
  return colour ? (text, style) => `\x1b[${escapes[style]}m${text}\x1b[0m` : (text) => text;
}
