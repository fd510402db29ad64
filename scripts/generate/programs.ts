/** Both command lines as commander knows them, for what looks at their words and runs none. */
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { builderProgram } from "../../builder/program.ts";
import { installerProgram } from "../../installer/program.ts";

export function commandLines(): { readonly kubeferry: Command; readonly "./install": Command } {
  const surroundings = {
    environment: {},
    workingDirectory: "/",
    out: new PassThrough(),
    err: new PassThrough(),
    in: new PassThrough(),
    signal: new AbortController().signal,
  };
  return {
    kubeferry: builderProgram(surroundings),
    "./install": installerProgram(surroundings, { bundle: null, executable: null }),
  };
}
