/**
 * What of a bundle stays on the node beside the journal: its index, SHA256SUMS and the signature, the links between a
 * public key and every installed file. An audit needs them long after the stick is gone.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { type Bundle, type Digest, indexPath, isSignaturePath, partialOf, replaceFile, sumsPath } from "#bundle";

/** Null: there is no such file. */
export interface KeptBundle {
  readonly index: Buffer | null;
  readonly sums: Buffer | null;
  /** Text by path in the bundle. */
  readonly signatures: ReadonlyMap<string, string>;
}

const limit = 256 * 1024 * 1024;

/** `folder`: of the journal. A bundle that is kept already stays as it is, and a signature that it got since comes to it. */
export async function keepBundle(
  bundle: Pick<Bundle, "payloadDigest" | "read" | "source">,
  folder: string,
): Promise<void> {
  const own = placeOf(folder, bundle.payloadDigest);
  fs.mkdirSync(own, { recursive: true, mode: 0o700 });
  const signatures = [...bundle.source.members.keys()].filter(isSignaturePath);
  for (const member of [indexPath, sumsPath, ...signatures]) {
    const content = bundle.read(member, limit);
    const path = join(own, member);
    if (content !== undefined && !fs.existsSync(path)) await replaceFile(path, content, 0o600, partialOf(path));
  }
}

export function readKept(folder: string, payload: Digest): KeptBundle {
  const place = placeOf(folder, payload);
  const read = (member: string): Buffer | null => {
    const path = join(place, member);
    return fs.existsSync(path) ? fs.readFileSync(path) : null;
  };
  const names = fs.existsSync(place) ? fs.readdirSync(place).filter(isSignaturePath) : [];
  const signatures = new Map(names.map((name) => [name, read(name)?.toString("utf8") ?? ""]));
  return { index: read(indexPath), sums: read(sumsPath), signatures };
}

function placeOf(folder: string, payload: Digest): string {
  return join(folder, "bundles", payload);
}
