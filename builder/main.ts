/** The `kubeferry` program, on the online side of the gap. */
import { runMain } from "#kit/main";
import { version } from "#kit/version";

async function main(): Promise<number> {
  // All else is loaded only where something else is asked.
  if (/^(-V|--version)$/.test(process.argv.slice(2).join(" "))) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { processSurroundings, run } = await import("#kit/run");
  const { builderProgram } = await import("./program.ts");
  const surroundings = processSurroundings(process);
  return run(builderProgram(surroundings), process.argv.slice(2), surroundings);
}

runMain(main);
