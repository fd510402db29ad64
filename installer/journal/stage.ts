/** Contents on their way from the bundle to their places: verified, private, durable, named by digest. */
import * as fs from "node:fs";
import { join } from "node:path";
import { type Bundle, chunkSize, type Digest, digestFile, partialOf, type Platform, replaceFile } from "#bundle";
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
    const path = join(stage, digest);
    if (content !== undefined) await replaceFile(path, content, 0o600, partialOf(path));
  }
  const packed = new Set(missing.filter((digest) => !memory.has(digest)));
  if (packed.size > 0) await bundle.extract(packed, (digest) => join(stage, digest), signal);
  if (platform !== undefined)
    refuseForeignPrograms(
      [...requested].map((digest) => join(stage, digest)),
      platform,
    );
}

/** Bytes that {@link keepInstaller} will write. */
export function installerNeed(executable: string | null, folder: string): number {
  if (executable === null) return 0;
  const { size } = fs.statSync(executable);
  return fs.statSync(join(folder, "install"), { throwIfNoEntry: false })?.size === size ? 0 : size;
}

/** Keeps this installer beside its journal, so that undo needs no bundle. An equal copy stays. */
export async function keepInstaller(executable: string, folder: string): Promise<void> {
  const target = join(folder, "install");
  const size = fs.statSync(executable).size;
  if (fs.statSync(target, { throwIfNoEntry: false })?.size === size) {
    if (digestFile(target).digest === digestFile(executable).digest) return;
  }
  const content = fs.createReadStream(executable, { highWaterMark: chunkSize });
  await replaceFile(target, content, 0o700, partialOf(target));
}

function isStaged(path: string, digest: Digest): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && digestFile(path).digest === digest;
}
