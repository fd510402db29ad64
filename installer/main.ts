/** The program `./install`, on the node. */
import { basename, dirname } from "node:path";
import { processSurroundings, run } from "#kit/run";
import { installerProgram } from "./program.ts";

// Packed into one file it lies in a bundle's `bin/`, or kept beside its journal; from source this is Node itself.
const packed = basename(process.execPath).startsWith("install");
const surroundings = processSurroundings(process);
const folder = dirname(process.execPath);
const origin = {
  bundle: packed && basename(folder) === "bin" ? dirname(folder) : null,
  executable: packed ? process.execPath : null,
};
void run(installerProgram(surroundings, origin), process.argv.slice(2), surroundings).then(
  (code) => (process.exitCode = code),
);
