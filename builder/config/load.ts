/** Reads `cluster.yaml`: schema, rules between its fields, and rules between it and its release, all at once. */
import { dirname, isAbsolute, join } from "node:path";
import { ExpectedError, isExpected } from "#cli/errors";
import { errorsIn } from "#cli/finding";
import { type ClusterConfig, clusterSchema } from "./cluster.ts";
import { manifestFindings, readManifests } from "./manifest-rules.ts";
import type { OwnManifest } from "./own-manifests.ts";
import { type OwnFiles, readOwnFiles } from "./own-files.ts";
import type { LocatedYaml, Problem } from "./positions.ts";
import { registryFindings } from "./registry-rules.ts";
import { releaseFindings, type Rule } from "./release-rules.ts";
import { isReleasePath, type LoadedRelease, loadRelease } from "./releases.ts";
import type { RuleFinding } from "./rule.ts";
import { clusterFindings } from "./rules.ts";
import { fail, lines, parseYaml, readText } from "./yaml-file.ts";

export { loadYaml } from "./yaml-file.ts";

const hint = "correct these places and run it again";

export interface LoadedCluster extends LoadedRelease {
  readonly cluster: ClusterConfig;
  /** The operator's own files that it names. */
  readonly own: OwnFiles;
  /** Its manifests, in one form. */
  readonly manifests: readonly OwnManifest[];
  /** `cluster.yaml:12:5: 2 etcd members bear …`: what is doubtful but stops nothing. */
  readonly warnings: readonly string[];
}

/**
 * `cluster.yaml` with every default, with its release's manifest and the warnings; its `release` is that of `--release`
 * where one is given, and a relative path in it counts from the file's own folder. Throws CONFIG_UNREADABLE,
 * CONFIG_SYNTAX, CONFIG_INVALID with every problem on a line of its own, or what {@link loadRelease} throws.
 * `further` is a rule beside those that always hold.
 */
export async function loadClusterAndRelease(path: string, release?: string, further?: Rule): Promise<LoadedCluster> {
  return parseCluster(path, await readText(path), release, further);
}

/** {@link loadClusterAndRelease} for text in hand. */
export async function parseCluster(
  path: string,
  text: string,
  release?: string,
  further: Rule = () => [],
): Promise<LoadedCluster> {
  const { value, yaml } = parseYaml(path, clusterSchema, text, { hint });
  const written = { ...value, release: release ?? besides(path, value.release) };
  const { own, findings: unread } = await readOwnFiles(written, dirname(path));
  const read = readManifests(written, own);
  const inside = [...clusterFindings(written), ...unread, ...read.findings];
  const cluster = { ...written, images: [...written.images, ...read.images] };
  let loaded: LoadedRelease;
  try {
    loaded = await loadRelease(cluster.release);
  } catch (error) {
    // The file's own problems first: they are what the operator can correct at once.
    if (isExpected(error)) stopOnErrors(path, inside, yaml);
    if (release === undefined && isExpected(error, "RELEASE_UNKNOWN")) throw inFile(error, path, yaml);
    throw error;
  }
  const findings = [
    ...inside,
    ...releaseFindings(cluster, loaded.manifest),
    ...registryFindings(cluster, loaded.manifest, own),
    ...manifestFindings(cluster, loaded.manifest),
    ...further(cluster, loaded.manifest),
  ];
  stopOnErrors(path, findings, yaml);
  return { cluster, own, manifests: read.manifests, ...loaded, warnings: lines(path, placed(findings, yaml)) };
}

/** The error at the place of `release:`. */
function inFile({ code, summary, ...details }: ExpectedError, path: string, yaml: LocatedYaml): ExpectedError {
  const { line, column } = yaml.locate(["release"]);
  return new ExpectedError(code, summary, { ...details, where: `${path}:${line}:${column}` });
}

function stopOnErrors(path: string, findings: readonly RuleFinding[], yaml: LocatedYaml): void {
  const errors = errorsIn(findings);
  if (errors.length > 0) fail("CONFIG_INVALID", path, placed(errors, yaml), hint);
}

function placed(findings: readonly RuleFinding[], yaml: LocatedYaml): Problem[] {
  return findings.map(({ path, message }) => ({ ...yaml.locate(path), message }));
}

/** A release as `path` (cluster.yaml) names it: a relative path counts from the file's own folder. */
export function besides(path: string, release: string): string {
  return isReleasePath(release) && !isAbsolute(release) ? join(dirname(path), release) : release;
}
