/** Where a new bundle goes. Nothing that is there is lost by it: what would be overwritten is refused before anything is made. */
import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openBundle, signaturePath } from "#bundle";
import { ExpectedError } from "#cli/errors";

/**
 * USAGE when `output` is one of `inputs` (the files that the build reads and keeps), or, without `force`, a file that is
 * there. A folder is never refused: the bundle gets a name of its content in it.
 */
export async function refuseOutput(output: string, inputs: readonly string[], force: boolean): Promise<void> {
  const real = await realPath(output);
  for (const input of inputs) {
    const kept = await realPath(input);
    if (real !== kept && !real.startsWith(`${kept}/`)) continue;
    throw new ExpectedError("USAGE", `the output must not be ${basename(input)} itself, nor lie in it`, {
      where: output,
      hint: "choose another -o; without one the bundle is named by its content",
    });
  }
  const found = await stat(output).catch(() => null);
  if (found === null || found.isDirectory() || force) return;
  throw new ExpectedError("USAGE", "this file exists and would be overwritten", {
    where: output,
    hint: "choose another -o, or give --force",
  });
}

/**
 * The file for a bundle, its folder made. In a folder (there already, or ending in `/`) it is `name`, which stands for the
 * bundle's content: only a signed one of that name is refused without `force`, since the new one has no signature.
 */
export async function outputPath(output: string, name: string, force: boolean): Promise<string> {
  const found = await stat(output).catch(() => null);
  const isFolder = output.endsWith("/") || found?.isDirectory() === true;
  const path = isFolder ? join(output, name) : output;
  await makeFolder(dirname(path));
  if (isFolder && !force && (await isSigned(path))) {
    throw new ExpectedError("USAGE", "this very bundle is there already, and signed", {
      where: path,
      hint: "take it as it is, or give --force to replace it by one without a signature",
    });
  }
  return path;
}

/** USAGE where `path`, which `option` named, is a folder, lies in none, or, without `force`, is there. */
export async function refuseFile(path: string, option: string, force: boolean): Promise<void> {
  const [found, folder] = await Promise.all([path, dirname(path)].map((one) => stat(one).catch(() => null)));
  if (folder?.isDirectory() !== true) {
    const where = dirname(path);
    throw new ExpectedError("USAGE", "there is no such folder", { where, hint: `mkdir -p ${where}` });
  }
  if (found?.isDirectory() === true) {
    throw new ExpectedError("USAGE", "this is a folder, not a file", { where: path, hint: `choose another ${option}` });
  }
  if (found === null || found === undefined || force) return;
  throw new ExpectedError("USAGE", "this file exists and would be overwritten", {
    where: path,
    hint: `choose another ${option}, or give --force`,
  });
}

/** A folder, which `option` named, with those above it; USAGE where a file is in the way. */
export async function makeFolder(path: string, option = "-o"): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOTDIR") throw cause;
    throw new ExpectedError("USAGE", "this is no folder", { where: path, hint: `choose another ${option}`, cause });
  }
}

async function isSigned(path: string): Promise<boolean> {
  try {
    return (await openBundle(path)).source.members.has(signaturePath);
  } catch {
    return false;
  }
}

/** Behind symbolic links where it is there, so that one file under two names is seen. */
async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}
