/** The `kubeferry` program, on the online side of the gap. */
import { runMain } from "#cli/main";
import { version } from "#cli/version";

async function main(): Promise<number> {
  // All else is loaded only where something else is asked.
  if (/^(-V|--version)$/.test(process.argv.slice(2).join(" "))) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { inLanguage, processSurroundings, run } = await import("#cli/run");
  const { builderProgram } = await import("./program.ts");
  const surroundings = await inLanguage(processSurroundings(process), async () => {
    const { texts } = await import("./language/zh/chinese.ts");
    return texts;
  });
  return run(builderProgram(surroundings), process.argv.slice(2), surroundings);
}

runMain(main);
