/** The health checks that a node of a cluster is given, run as `./install status` runs them. */
import { selects, type CheckEntry } from "#bundle";
import type { Finding } from "#cli/finding";
import type { Rendered } from "../../builder/render/node-file.ts";
import { checkHealth } from "../../installer/checks/health.ts";
import { createLocalHost } from "../../installer/host/local.ts";

const host = createLocalHost({ root: "/", contents: { stage: "/nowhere", before: "/nowhere" } });

/** The checks of one node with all of its roles. */
export function checksOfNode(rendered: Rendered, name: string): CheckEntry[] {
  const node = rendered.nodes.find((entry) => entry.name === name);
  return rendered.checks.filter((check) => selects(check.for, name, node?.roles ?? [], "linux/amd64"));
}

/** The one of this name; throws when the node has none. */
export function checkNamed(rendered: Rendered, node: string, name: string): CheckEntry {
  const found = checksOfNode(rendered, node).find((check) => check.name === name);
  if (found === undefined) throw new Error(`${node} has no check "${name}"`);
  return found;
}

/** Runs it; `place` leads its words to where a test has programs and files, `around` puts it on a host of the test. */
export function runCheck(
  check: CheckEntry,
  place: (word: string) => string = (word) => word,
  around: (argv: readonly string[]) => readonly string[] = (argv) => argv,
): Promise<Finding> {
  return checkHealth(host, { ...check, argv: [...around(check.argv.map(place))] }, true);
}
