/** Audit: is every installed thing still as it was installed? */
import type { Digest } from "#bundle";
import { messageOf } from "#cli/errors";
import { type Finding, warning } from "#cli/finding";
import type { HostReader, Stat } from "../host/host.ts";
import { currentTransactions, installedGoals, onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { idsOf, of, resourceOf } from "../resources/catalogue.ts";
import type { DirectoryId } from "../resources/directory.ts";
import type { FileId } from "../resources/file.ts";
import { wrongLabels } from "../resources/hooks.ts";
import { type Goal, isUnknown } from "../resources/resource.ts";
import { attributeDrift, drift } from "./drift-finding.ts";
import { findExtra } from "./extra.ts";
import { podDrift } from "./pod-drift.ts";
import { unitDrift } from "./unit-drift.ts";
import { writtenDrift } from "./written.ts";

/** What an audit looked at. */
export interface Audited {
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<"files" | "directories" | "units" | "settings", number>>;
}

/** Every difference between the host and what its transactions installed; the newest one counts. */
export async function findDrift(
  host: HostReader,
  transactions: readonly Transaction[],
  now = new Date(),
): Promise<Audited> {
  const present = onHost(transactions);
  const written = currentTransactions(present).flatMap(({ header }) => header.written ?? []);
  const goals = [...installedGoals(present).values()];
  const files = idsOf("file", goals);
  const directories = idsOf("directory", goals).filter(({ implied }) => !implied);
  const units = idsOf("unit", goals);
  const told = new Set([...of("file", goals), ...of("directory", goals), ...of("unit", goals)]);
  const settings = goals.filter((goal) => !told.has(goal));
  const findings: Finding[] = [];
  findings.push(...(await fileDrift(host, files)));
  for (const directory of directories) findings.push(...(await directoryDrift(host, directory)));
  for (const unit of units) findings.push(...(await unitDrift(host, unit, files)));
  for (const setting of settings) findings.push(...(await settingDrift(host, setting)));
  findings.push(...(await labelDrift(host, present, files)));
  findings.push(...(await writtenDrift(host, written, now)));
  findings.push(...(await podDrift(host, files, units)));
  findings.push(...(await findExtra(host, present, files, units, written)));
  return {
    findings,
    counts: {
      files: files.length,
      directories: directories.length,
      units: units.length,
      settings: settings.length,
    },
  };
}

async function fileDrift(host: HostReader, files: readonly FileId[]): Promise<Finding[]> {
  const stats = new Map<FileId, Stat | null>();
  for (const file of files) stats.set(file, await host.stat(file.path));
  const whole = files.filter((file) => {
    const stat = stats.get(file);
    return stat?.type === "file" && stat.size === file.size;
  });
  const digests = await host.digests(whole);
  const found = new Map(whole.map((file, at) => [file, digests[at]]));
  return files.flatMap((file) => differences(file, stats.get(file) ?? null, found.get(file)));
}

/** `now`: the file's digest; undefined where its size alone tells that it is another. */
function differences({ path, digest, mode, owner, size }: FileId, stat: Stat | null, now?: Digest): Finding[] {
  if (stat === null) return [drift("missing", path, "is gone", "run the same ./install again")];
  if (stat.type !== "file") return [drift("changed", path, `is a ${stat.type} now`, `ls -l ${path}`)];
  const found: Finding[] = attributeDrift(path, stat, { mode, owner });
  if (now !== digest) {
    const differs = drift("changed", path, "is not what was installed", "run the same ./install again");
    found.push({ ...differs, expected: digest, found: now ?? `${stat.size} bytes instead of ${size}` });
  }
  return found;
}

async function directoryDrift(host: HostReader, spec: DirectoryId): Promise<Finding[]> {
  const stat = await host.stat(spec.path);
  if (stat === null) return [drift("missing", spec.path, "is gone", "run the same ./install again")];
  // A link to a directory was taken for it at installation, with whatever mode that has.
  return stat.type === "directory" ? attributeDrift(spec.path, stat, spec) : [];
}

/** Kernel values, modules, swap, names, images: as installed when installing again would have nothing to do. */
async function settingDrift(host: HostReader, setting: Goal): Promise<Finding[]> {
  const resource = resourceOf(setting);
  const what = resource.describe(setting.id);
  try {
    const now = await resource.inspect(host, setting.id);
    // A tree that does not run has none of it yet.
    if (isUnknown(now)) return host.live ? [unknown(what, now.unknown)] : [];
    if (resource.equal(now, resource.spec(setting.id, now))) return [];
    return [drift("setting", what, "is no longer so", "run the same ./install again")];
  } catch (error) {
    return [unknown(what, messageOf(error))];
  }
}

/** Where SELinux runs, and its contexts were restored. */
async function labelDrift(
  host: HostReader,
  present: readonly Transaction[],
  files: readonly FileId[],
): Promise<Finding[]> {
  const hooks = present.flatMap(({ phases }) => phases.flatMap((phase) => phase.hooks ?? []));
  if (!hooks.some(({ hook }) => hook === "relabel")) return [];
  const wrong = await wrongLabels(
    host,
    files.map(({ path }) => path),
  );
  return wrong.map((path) => drift("setting", path, "has another SELinux context", `restorecon ${path}`));
}

function unknown(what: string, why: string): Finding {
  return warning("setting", `${what} could not be looked at: ${why}`);
}
