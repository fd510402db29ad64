/** Packages of the operating system as files of a bundle. */
import { type Digest, type PackageEntry, type Platform, roles } from "#bundle";
import type { LockedPackage } from "../lock/lock.ts";
import type { NodeFile } from "../render/node-file.ts";

/** Where packages lie on a node until the transaction is undone. */
const packageFolder = "/var/lib/kubeferry/packages";

/**
 * What goes into the index and onto the nodes: every role gets the packages of its platform. Files are numbered in the
 * order in which packages want to be unpacked (a package's Pre-Depends first), so that their sorted names keep it.
 */
export function packPackages(locked: readonly LockedPackage[]): { entries: PackageEntry[]; files: NodeFile[] } {
  const entries: PackageEntry[] = [];
  const files: NodeFile[] = [];
  for (const [place, one] of locked.entries()) {
    const { name, version, architecture, format, distribution } = one;
    const file = `${String(place + 1).padStart(4, "0")}-${name}_${version.replaceAll(":", "%3a")}_${architecture}.${format}`;
    const path = `${packageFolder}/${distribution.replaceAll(/[^\w.-]+/g, "-")}/${file}`;
    const platforms = platformsOf(architecture);
    const selector = { roles: [...roles], ...(platforms === null ? {} : { platforms }) };
    entries.push({ name, version, architecture, format, distribution, path, for: selector });
    files.push({
      path,
      mode: "0644",
      owner: "0:0",
      content: { digest: one.digest.slice("sha256:".length) as Digest, size: one.size },
      sensitive: false,
      for: selector,
      origin: { from: "artifact", url: one.resolved, digest: one.digest, pinnedBy: "distribution", version },
    });
  }
  return { entries, files };
}

function platformsOf(architecture: string): Platform[] | null {
  if (architecture === "amd64" || architecture === "x86_64") return ["linux/amd64"];
  if (architecture === "arm64" || architecture === "aarch64") return ["linux/arm64"];
  return null;
}
