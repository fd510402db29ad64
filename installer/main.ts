/** The program `./install`, on the node. */
import { basename, dirname } from "node:path";
import { runMain } from "#cli/main";
import { version } from "#cli/version";

async function main(): Promise<number> {
  // Its launcher asks for this before every command, so nothing else is loaded for it.
  if (/^(-V|--version)$/.test(process.argv.slice(2).join(" "))) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { inLanguage, processSurroundings, run } = await import("#cli/run");
  const { installerProgram } = await import("./program.ts");
  // Packed into one file it lies in a bundle's `bin/`, or kept beside its journal; from source this is Node itself.
  const packed = basename(process.execPath).startsWith("install");
  const surroundings = await inLanguage(processSurroundings(process), async () => {
    const { texts } = await import("#cli/language/zh/chinese");
    return texts;
  });
  const folder = dirname(process.execPath);
  const origin = {
    bundle: packed && basename(folder) === "bin" ? dirname(folder) : null,
    executable: packed ? process.execPath : null,
    argv: process.argv.slice(2),
  };
  return run(installerProgram(surroundings, origin), process.argv.slice(2), surroundings);
}

runMain(main);
