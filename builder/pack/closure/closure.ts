/**
 * The last question before a bundle is written: would each node have everything that its files name? Pure over what
 * was rendered and the bytes in the store; a miss is named with what needs it and what to add.
 */
import type { Digest, ImageEntry, PackageEntry, Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { errorsIn, type Finding } from "#cli/finding";
import type { Reporter } from "#cli/reporter";
import { readManifest } from "../../config/manifests.ts";
import type { LockedArtifact } from "../../lock/lock.ts";
import type { Rendered } from "../../render/node-file.ts";
import { parseBase } from "./base.ts";
import { checkBinaries } from "./binaries.ts";
import { checkComponents } from "./components.ts";
import { imagesNamedBy } from "./image-references.ts";
import { checkNames, checkPods, podManifests } from "./names.ts";
import { checkCommands, checkUnits } from "./programs.ts";
import { viewOf } from "./view.ts";

export interface ClosureInput {
  readonly rendered: Rendered;
  readonly platforms: readonly Platform[];
  readonly images: readonly ImageEntry[];
  readonly packages: readonly PackageEntry[];
  readonly store: { path(digest: Digest): string };
  /** Of the lock: everything that they give must have become a file of some node. */
  readonly artifacts?: readonly LockedArtifact[];
  /** Programs (absolute paths) and libraries (sonames) that the operator vouches for: every host has them. */
  readonly vouched?: readonly string[];
  /** The oldest glibc of the hosts, where the installer itself needs another one than the base says. */
  readonly glibc?: Readonly<Partial<Record<Platform, string>>>;
  /** Text in the form of manifests/bases/host.txt, which it is when absent. */
  readonly base?: string;
}

/**
 * Every miss of every node on every platform; equal misses of several nodes are one finding. `expected` is what is
 * missing (a path, an image, a library), `where` the file, unit or check that needs it. [] = complete.
 */
export function checkClosure(input: ClosureInput): Finding[] {
  const { rendered, platforms } = input;
  const text = input.base ?? readManifest("bases/host.txt") ?? "";
  const own = new Set(rendered.files.map(({ path }) => path.slice(0, path.lastIndexOf("/"))));
  const pods = podManifests(rendered.files);
  const findings = new Map<string, Finding>();
  const add = (found: readonly Finding[]): void => {
    for (const finding of found) {
      const key = JSON.stringify([finding.check, finding.expected, finding.where, finding.severity]);
      if (!findings.has(key)) findings.set(key, finding);
    }
  };
  const read = new Map<string, string[]>();
  const imagesOf = (path: string, content: string): string[] => {
    const key = `${path}\n${content}`;
    const found = read.get(key) ?? imagesNamedBy(path, content);
    read.set(key, found);
    return found;
  };
  for (const platform of platforms) {
    const known = parseBase(text, platform, input.vouched);
    const base = { ...known, glibc: input.glibc?.[platform] ?? known.glibc };
    add(checkComponents(input.artifacts ?? [], rendered, platform));
    for (const node of rendered.nodes) {
      const view = viewOf(input, node, base, platform);
      add(checkUnits(view));
      add(checkCommands(view));
      add(checkNames(view, own, imagesOf));
      add(checkPods(view, pods, imagesOf));
      add(checkBinaries(view, input.store));
    }
  }
  return [...findings.values()];
}

/** INCOMPLETE with every error among the findings; warnings are told. */
export function requireComplete(findings: readonly Finding[], reporter: Pick<Reporter, "warn" | "record">): void {
  for (const finding of findings) {
    reporter.record("finding", { ...finding });
    if (finding.severity === "warning") reporter.warn([finding.message, finding.hint].join("; "));
  }
  const errors = errorsIn(findings);
  const [first] = errors;
  if (first === undefined) return;
  throw new ExpectedError("INCOMPLETE", "the bundle would not be complete", {
    problems: errors.map(({ message }) => ({ message })),
    where: first.where,
    expected: first.expected,
    found: "nothing in the bundle",
    hint: first.hint,
  });
}
