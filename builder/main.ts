/** The `kubeferry` program, on the online side of the gap. */
import { version } from "#kit/version";

async function main(): Promise<void> {
  // All else is loaded only where something else is asked.
  if (/^(-V|--version)$/.test(process.argv.slice(2).join(" "))) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const { processSurroundings, run } = await import("#kit/run");
  const { builderProgram } = await import("./program.ts");
  const surroundings = processSurroundings(process);
  process.exitCode = await run(builderProgram(surroundings), process.argv.slice(2), surroundings);
}

void main();
