/**
 * A program of one CommonJS file and the Node that is to run it, as one executable: Node's own single-executable application.
 * The Node itself makes the blob, whose form changes from one version to the next; postject puts it into the ELF file.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { copyStripped } from "./strip.ts";

export interface ExecutableParts {
  /** The Node that becomes the executable. */
  readonly runtime: string;
  /** A Node of the very same version that runs here; default: `runtime`. */
  readonly generator?: string;
  /** The CommonJS file. Of its path the name alone gets into the executable: the same parts give the same bytes anywhere. */
  readonly main: string;
  /** Beside it there is a working folder meanwhile. */
  readonly output: string;
  /** V8's code cache: a faster start, and other bytes each time. */
  readonly codeCache?: boolean;
  readonly signal?: AbortSignal;
}

/** Where a Node says whether it carries an application. Never written in one piece: it may stand in an executable only once. */
export const fuse = ["NODE_SEA_FUSE", "fce680ab2cc467b6e072b8b5df1996b2"].join("_");

export async function makeExecutable({ runtime, main, output, ...options }: ExecutableParts): Promise<void> {
  const { generator = runtime, codeCache = false, signal } = options;
  const folder = await mkdtemp(join(dirname(output), ".executable-"));
  try {
    const [config, blob] = [join(folder, "sea.json"), join(folder, "blob")];
    const plain = { disableExperimentalSEAWarning: true, useSnapshot: false };
    await writeFile(config, JSON.stringify({ main: basename(main), output: blob, ...plain, useCodeCache: codeCache }));
    const words = ["--experimental-sea-config", config];
    await promisify(execFile)(generator, words, { cwd: dirname(main), env: {}, signal });
    await copyStripped(runtime, output);
    await injectBlob(output, await readFile(blob));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** postject says by console.warn that it finds no names for the notes that it just made. */
async function injectBlob(output: string, blob: Buffer): Promise<void> {
  const { inject } = await import("postject");
  const { warn } = console;
  console.warn = () => undefined;
  try {
    await inject(output, "NODE_SEA_BLOB", blob, { sentinelFuse: fuse, overwrite: true });
  } finally {
    console.warn = warn;
  }
}
