/** The `kubeferry` program, on the online side of the gap. */
import { processSurroundings, run } from "#kit/run";
import { builderProgram } from "./program.ts";

async function main(): Promise<void> {
  const surroundings = processSurroundings(process);
  process.exitCode = await run(builderProgram(surroundings), process.argv.slice(2), surroundings);
}

void main();
