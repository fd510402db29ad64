/** Audit: is every installed thing still as it was installed? */
import { messageOf } from "#kit/errors";
import type { HostReader } from "../host/host.ts";
import { currentTransactions, installedOperations, onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { DirectorySpec } from "../operations/directory.ts";
import type { FileSpec } from "../operations/file.ts";
import type { Operation } from "../operations/operation.ts";
import type { UnitSpec } from "../operations/unit.ts";
import type { Finding } from "./check.ts";
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
  const operations = [...installedOperations(present).values()];
  const files = specs<FileSpec>(operations, "file");
  const directories = specs<DirectorySpec>(operations, "directory").filter(({ implied }) => !implied);
  const units = specs<UnitSpec>(operations, "unit");
  const settings = operations.filter(({ kind }) => !["file", "directory", "unit", "snapshot"].includes(kind));
  const findings: Finding[] = [];
  for (const file of files) findings.push(...(await fileDrift(host, file)));
  for (const directory of directories) findings.push(...(await directoryDrift(host, directory)));
  for (const unit of units) findings.push(...(await unitDrift(host, unit, files)));
  for (const setting of settings) findings.push(...(await settingDrift(host, setting)));
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

function specs<Spec>(operations: readonly Operation[], kind: string): Spec[] {
  return operations.filter((entry) => entry.kind === kind).map(({ spec }) => spec as Spec);
}

async function fileDrift(host: HostReader, { path, digest, mode, owner, size }: FileSpec): Promise<Finding[]> {
  const stat = await host.stat(path);
  if (stat === null) return [drift("missing", path, "is gone", "run the same ./install again")];
  if (stat.type !== "file") return [drift("changed", path, `is a ${stat.type} now`, `ls -l ${path}`)];
  const found: Finding[] = attributeDrift(path, stat, { mode, owner });
  const now = stat.size === size ? await host.digest(path) : "";
  if (now !== digest) {
    const differs = drift("changed", path, "is not what was installed", "run the same ./install again");
    found.push({ ...differs, wanted: digest, found: now === "" ? `${stat.size} bytes instead of ${size}` : now });
  }
  return found;
}

async function directoryDrift(host: HostReader, spec: DirectorySpec): Promise<Finding[]> {
  const stat = await host.stat(spec.path);
  if (stat === null) return [drift("missing", spec.path, "is gone", "run the same ./install again")];
  // A link to a directory was taken for it at installation, with whatever mode that has.
  return stat.type === "directory" ? attributeDrift(spec.path, stat, spec) : [];
}

/** Kernel values, modules, swap, names, images: as installed when installing again would have nothing to do. */
async function settingDrift(host: HostReader, setting: Operation): Promise<Finding[]> {
  const kind = kindOf(setting);
  const what = kind.describe(setting.spec);
  try {
    const now = await kind.inspect(host, setting.spec);
    const unseen = kind.unseen?.(now) ?? null;
    if (unseen !== null) return [unknown(what, unseen)];
    if (kind.forward(setting.spec, now).length === 0) return [];
    return [drift("setting", what, "is no longer so", "run the same ./install again")];
  } catch (error) {
    return [unknown(what, messageOf(error))];
  }
}

function unknown(what: string, why: string): Finding {
  return { check: "setting", severity: "warning", message: `${what} could not be looked at: ${why}` };
}
