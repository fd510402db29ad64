/**
 * Runs a command-line program to its exit code: an ExpectedError is told as one and ends with its own code,
 * a wrong call is one with 2, Ctrl-C with 130, and anything else is a bug: its stack, and 1.
 */
import { type Command, CommanderError } from "commander";
import { ExpectedError, isExpected } from "./errors.ts";
import { showHelpOn } from "./help.ts";
import type { Catalogue } from "./language/catalogue.ts";
import { type Language, wantsChinese } from "./language/language.ts";
import { tellBug } from "./main.ts";
import { createReporter, type Reporter, type Writer } from "./reporter.ts";
import { explainedBySystem } from "./system-error.ts";

/** What a program takes from the process it runs in; nothing below the two main.ts reads `process`. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly out: Writer;
  readonly err: Writer;
  readonly in: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** In which people are told; English where there is none. */
  readonly language?: Language | undefined;
}

/** With the language that the environment asks for; the catalogue is loaded only then. */
export async function inLanguage(
  surroundings: Surroundings,
  catalogue: () => Promise<Catalogue>,
): Promise<Surroundings> {
  if (!wantsChinese(surroundings.environment)) return surroundings;
  const { chinese } = await import("./language/chinese.ts");
  return { ...surroundings, language: chinese(await catalogue()) };
}

/** The reporter for a command called with or without `--json`; NO_COLOR and the terminal decide on colour. */
export function reporterFor(surroundings: Surroundings, options: { json?: boolean | undefined }): Reporter {
  const { environment, out, err, language } = surroundings;
  const dumb = environment["TERM"] === "dumb";
  const colour = !dumb && (environment["NO_COLOR"] ?? "") === "";
  return createReporter({ json: options.json ?? false, colour, dumb, language, out, err });
}

/**
 * Parses `argv` (without the program's own name), runs the chosen command and gives its exit code. With `--json` the last
 * record is always `end`, with that code: a stream without it was cut.
 */
export async function run(program: Command, argv: readonly string[], surroundings: Surroundings): Promise<number> {
  overrideExit(program, surroundings);
  const reporter = reporterFor(surroundings, { json: argv.includes("--json") });
  const exitCode = await codeOf(program, argv, surroundings, reporter);
  reporter.record("end", { exitCode });
  return exitCode;
}

async function codeOf(
  program: Command,
  argv: readonly string[],
  surroundings: Surroundings,
  reporter: Reporter,
): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return report(error, surroundings, reporter);
  }
}

/** Ends a command with an exit code and nothing more to say. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

function report(thrown: unknown, surroundings: Surroundings, reporter: Reporter): number {
  if (thrown instanceof Exit) return thrown.code;
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0;
    // A group of commands without one of them: people have read its help already.
    reporter.record("error", { code: "USAGE", message: "a command is missing", exitCode: 2 });
    return 2;
  }
  const error = explainedBySystem(thrown);
  if (surroundings.signal.aborted && !isExpected(error)) {
    reporter.error(
      new ExpectedError("INTERRUPTED", "stopped by a signal", { hint: "run the same command again, it continues" }),
    );
    return 130;
  }
  if (isExpected(error)) {
    reporter.error(error);
    return error.exitCode;
  }
  tellBug(error, surroundings.err);
  return 1;
}

/** commander must not end the process itself: the exit code comes back to main.ts. */
function overrideExit(command: Command, surroundings: Surroundings): void {
  command.exitOverride((thrown) => {
    throw thrown.exitCode === 0 || thrown.code === "commander.help" ? thrown : wrongCall(thrown, command);
  });
  showHelpOn(command, surroundings);
  for (const child of command.commands) overrideExit(child, surroundings);
}

/** What commander finds wrong with a call, as every other error is told. */
function wrongCall({ message }: CommanderError, command: Command): ExpectedError {
  const [what = "", suggestion = ""] = message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(suggestion)?.[1];
  const called = callOf(command);
  return new ExpectedError("USAGE", what, {
    where: called,
    expected: meant ?? (/^(missing|too many)/.test(what) ? `${called} ${command.usage()}` : undefined),
    hint: `${called} --help`,
  });
}

/** The words that call a command: `kubeferry store gc`. */
function callOf(command: Command): string {
  const words: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) words.unshift(one.name());
  return words.join(" ");
}

/**
 * The surroundings of this very process, for main.ts. SIGINT, SIGTERM and SIGHUP (a closed terminal) abort; a second
 * SIGINT or SIGTERM ends the process.
 */
export function processSurroundings(process: NodeJS.Process): Surroundings {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      controller.abort();
      process.once(signal, () => process.exit(130));
    });
  }
  // A terminal that closes sends it twice: by the kernel and by the shell.
  process.on("SIGHUP", () => controller.abort());
  return {
    environment: process.env,
    workingDirectory: process.cwd(),
    out: process.stdout,
    err: process.stderr,
    in: process.stdin,
    signal: controller.signal,
  };
}
