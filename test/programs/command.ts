/** `kubeferry` and `./install` from source, in this very process: a command's words in, its exit code and texts out. */
import { PassThrough } from "node:stream";
import { texts } from "../../builder/language/zh/chinese.ts";
import { inLanguage, run, type Surroundings } from "#cli/run";
import { builderProgram } from "../../builder/program.ts";
import { installerProgram } from "../../installer/program.ts";
import { checkJson } from "./json-lines.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Its output goes to terminals of this width. */
  readonly columns?: number;
}

/** Runs `kubeferry ARGV…`; nothing is asked, since its standard input is no terminal. */
export async function runKubeferry(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return await runProgram(builderProgram, argv, options);
}

/** Runs `./install ARGV…` as from source, without a bundle of its own. */
export async function runInstall(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return await runProgram((own) => installerProgram(own, { bundle: null, executable: null, argv }), argv, options);
}

async function runProgram(
  make: (surroundings: Surroundings) => Parameters<typeof run>[0],
  argv: readonly string[],
  { environment = {}, workingDirectory = "/", columns }: RunOptions,
): Promise<Ran> {
  let [out, err] = ["", ""];
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const own: Surroundings = {
    environment,
    workingDirectory,
    out: { write: (text) => (out += text), ...terminal },
    err: { write: (text) => (err += text), ...terminal },
    in: new PassThrough(),
    signal: new AbortController().signal,
  };
  const surroundings = await inLanguage(own, async () => texts);
  const code = await run(make(surroundings), argv, surroundings);
  checkJson(argv, out, code);
  return { code, out, err };
}
