/** Which members of a bundle one node needs: what `kubeferry push` carries to it, and `--partial` asks for. Pure. */
import type { BundleIndex } from "./format.ts";
import { indexPath } from "./consistency.ts";
import { blobPath } from "./frames.ts";
import { installerName, type Platform, platforms, type Role, selects } from "./selector.ts";
import { sumsPath } from "./sums.ts";

/** The profile in the index, the roles that are taken, and the machine. */
export interface NodeNeeds {
  readonly node: string;
  readonly roles: readonly Role[];
  readonly platform: Platform;
}

/**
 * Their paths: index, SHA256SUMS, launcher, the one installer, the frames with this node's files, and its own secrets.
 * Signatures, which the index does not know, are not among them.
 */
export function partsOfNode(index: BundleIndex, { node, roles, platform }: NodeNeeds): Set<string> {
  const foreign = new Set(platforms.filter((one) => one !== platform).map((one) => `bin/${installerName(one)}`));
  const parts = new Set([indexPath, sumsPath, ...Object.keys(index.members).filter((path) => !foreign.has(path))]);
  for (const file of index.files) {
    const content = index.contents[file.digest];
    if (!file.sensitive && content !== undefined && selects(file.for, node, roles, platform))
      parts.add(blobPath(content.blob));
  }
  for (const secret of index.secrets) if (secret.node === node) parts.add(secret.member);
  return parts;
}
