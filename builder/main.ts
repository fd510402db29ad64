/** The `kubeferry` program, on the online side of the gap. */
import { processSurroundings, run } from "#kit/run";
import { builderProgram } from "./program.ts";

const surroundings = processSurroundings(process);
void run(builderProgram(surroundings), process.argv.slice(2), surroundings).then((code) => {
  process.exitCode = code;
});
