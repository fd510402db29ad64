/** Contents on their way from the bundle to their places: verified, private, durable, named by digest. */
import * as fs from "node:fs";
import { join } from "node:path";
import { type Bundle, type Digest, digestFile, type Platform } from "#bundle";
import { refuseForeignPrograms } from "./machine.ts";

/**
 * Puts every requested content into the folder `stage`: from `memory` (secrets, files with tokens replaced), the rest
 * from the bundle. What is there already and is right stays. A program for another machine than `platform` is refused.
 */
export async function stageContents(
  bundle: Pick<Bundle, "extract">,
  stage: string,
  requested: ReadonlySet<Digest>,
  memory: ReadonlyMap<Digest, Uint8Array>,
  { platform, signal }: { readonly platform?: Platform; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const missing = [...requested].filter((digest) => !isStaged(join(stage, digest), digest));
  for (const digest of missing) {
    const content = memory.get(digest);
    if (content !== undefined) writePrivate(join(stage, digest), content);
  }
  const packed = new Set(missing.filter((digest) => !memory.has(digest)));
  if (packed.size > 0) await bundle.extract(packed, (digest) => join(stage, digest), signal);
  if (platform !== undefined)
    refuseForeignPrograms(
      [...requested].map((digest) => join(stage, digest)),
      platform,
    );
  const folder = fs.openSync(stage, "r");
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

/** Bytes that {@link keepInstaller} will write. */
export function installerNeed(executable: string | null, folder: string): number {
  if (executable === null) return 0;
  const { size } = fs.statSync(executable);
  return fs.statSync(join(folder, "install"), { throwIfNoEntry: false })?.size === size ? 0 : size;
}

/** Keeps this installer beside its journal, so that undo needs no bundle. An equal copy stays. */
export function keepInstaller(executable: string, folder: string): void {
  const target = join(folder, "install");
  const size = fs.statSync(executable).size;
  if (fs.statSync(target, { throwIfNoEntry: false })?.size === size) {
    if (digestFile(target).digest === digestFile(executable).digest) return;
  }
  const temporary = `${target}.new`;
  wholeOrNothing(temporary, () => {
    fs.copyFileSync(executable, temporary);
    fs.chmodSync(temporary, 0o700);
    const file = fs.openSync(temporary, "r");
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.renameSync(temporary, target);
  });
}

/** A full disk is no fuller afterwards. */
function wholeOrNothing(temporary: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

function isStaged(path: string, digest: Digest): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && digestFile(path).digest === digest;
}

/** Whole and flushed, or not there. */
export function writePrivate(path: string, content: Uint8Array): void {
  const temporary = `${path}.partial`;
  fs.rmSync(temporary, { force: true });
  wholeOrNothing(temporary, () => {
    writeOnce(temporary, content);
    fs.renameSync(temporary, path);
  });
}

/** 0600 from the first byte, whole and flushed, or not there; throws EEXIST where there is something. */
export function writeOnce(path: string, content: Uint8Array): void {
  const file = fs.openSync(path, "wx", 0o600);
  wholeOrNothing(path, () => {
    try {
      for (let done = 0; done < content.length;) done += fs.writeSync(file, content, done);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  });
}
