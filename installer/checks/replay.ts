/** An older bundle, or one of another cluster, over what is installed: signed it may be, and still not what is wanted. Pure. */
import type { BundleIndex } from "#bundle";
import { error, type Finding, warning } from "#cli/finding";
import { compareVersions } from "#formats/version";
import type { Header } from "../journal/journal.ts";

/** [] where the bundle is newer in everything; whoever replays an old one on purpose reads here what they take back. */
export function replay(installed: Header["bundle"], { locked, cluster, release }: BundleIndex): Finding[] {
  return [...otherCluster(installed, cluster.name), ...olderSoftware(installed, locked, release.components)];
}

function otherCluster(installed: Header["bundle"], name: string): Finding[] {
  if (installed.cluster === name) return [];
  const hint = "take the bundle of this cluster; to make the host a node of the other one: ./install undo first";
  const message = "this bundle is of another cluster than the one that this host is a node of";
  return [error("same-cluster", message, { expected: installed.cluster, found: name, hint })];
}

function olderSoftware(
  installed: Header["bundle"],
  locked: string,
  components: Readonly<Record<string, string>>,
): Finding[] {
  const older = Object.entries(components).flatMap(([name, version]) => {
    const present = installed.components?.[name];
    return present !== undefined && compareVersions(version, present) < 0 ? [`${name} ${present} to ${version}`] : [];
  });
  const hint = "is it the bundle that was meant? kubeferry diff OLD NEW shows what would change";
  const findings: Finding[] = [];
  if (installed.locked !== undefined && locked < installed.locked) {
    const message = "this bundle is older than the installed one: it may bring back what was fixed since";
    const detail = { expected: `locked ${installed.locked} or later`, found: `locked ${locked}` };
    findings.push(warning("older-bundle", message, { ...detail, hint }));
  }
  if (older.length > 0) {
    const message = `the bundle takes components back: ${older.join(", ")}`;
    findings.push(warning("older-components", message, { hint }));
  }
  return findings;
}
