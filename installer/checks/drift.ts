/** Audit: is every installed thing still as it was installed? */
import type { HostReader } from "../host/host.ts";
import type { Transaction } from "../journal/transaction.ts";
import type { DirectoryBefore, DirectorySpec } from "../operations/directory.ts";
import { type FileSpec, sameOwner } from "../operations/file.ts";
import type { Operation } from "../operations/operation.ts";
import type { UnitSpec } from "../operations/unit.ts";
import type { Finding } from "./check.ts";

/** Every difference between the host and what its transactions installed; the newest one counts. [] = none. */
export async function findDrift(host: HostReader, transactions: readonly Transaction[]): Promise<Finding[]> {
  const operations = transactions.flatMap(({ phases }) => phases.flatMap((phase) => phase.operations));
  const specs = <Spec>(kind: string, key: (spec: Spec) => string): Spec[] => [
    ...new Map(
      operations.filter((entry) => entry.kind === kind).map(({ spec }) => [key(spec as Spec), spec as Spec]),
    ).values(),
  ];
  const files = specs<FileSpec>("file", ({ path }) => path);
  const findings: Finding[] = [];
  for (const file of files) findings.push(...(await fileDrift(host, file)));
  for (const directory of specs<DirectorySpec>("directory", ({ path }) => path)) {
    if (!directory.implied) findings.push(...(await directoryDrift(host, directory)));
  }
  for (const unit of specs<UnitSpec>("unit", ({ name }) => name)) findings.push(...(await unitDrift(host, unit)));
  const known = new Set(operations.map((entry) => pathOf(entry)).filter((path) => path !== null));
  for (const folder of ownFolders(transactions, files)) {
    for (const name of await host.list(folder)) {
      const path = `${folder}/${name}`;
      if (!known.has(path)) findings.push(drift("extra", path, "is not of this installation", `ls -l ${path}`));
    }
  }
  return findings;
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

async function unitDrift(host: HostReader, unit: UnitSpec): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const path of unit.links) {
    const stat = await host.stat(path);
    if (stat?.type !== "symlink" || stat.target !== unit.file) {
      found.push(drift("missing", path, `no longer enables ${unit.name}`, `ln -sf ${unit.file} ${path}`));
    }
  }
  if (!host.live || !unit.start) return found;
  const { stdout } = await host.query(["systemctl", "show", "-p", "MainPID", "--value", unit.name]);
  const pid = stdout.trim();
  const program = /^[1-9]\d*$/.test(pid) ? await host.stat(`/proc/${pid}/exe`) : null;
  if (program?.type === "symlink" && program.target.endsWith(" (deleted)")) {
    const message = `${unit.name} runs a program that is no longer the one on the disk`;
    found.push(drift("running", program.target, message, `systemctl restart ${unit.name}`));
  }
  return found;
}

function attributeDrift(
  path: string,
  found: { mode: number; owner: { uid: number; gid: number } },
  wanted: { mode: number; owner: { uid: number; gid: number } },
): Finding[] {
  const findings: Finding[] = [];
  if (found.mode !== wanted.mode) {
    const [is, was] = [octal(found.mode), octal(wanted.mode)];
    findings.push({ ...drift("mode", path, "has another mode", `chmod ${was} ${path}`), wanted: was, found: is });
  }
  if (!sameOwner(found.owner, wanted.owner)) {
    const [is, was] = [`${found.owner.uid}:${found.owner.gid}`, `${wanted.owner.uid}:${wanted.owner.gid}`];
    findings.push({ ...drift("owner", path, "has another owner", `chown ${was} ${path}`), wanted: was, found: is });
  }
  return findings;
}

/** Directories that we made and put files into, but for those that programs write into (/var, /run). */
function ownFolders(transactions: readonly Transaction[], files: readonly FileSpec[]): string[] {
  const made = transactions.flatMap(({ changes }) =>
    changes
      .filter(({ change }) => change.kind === "directory" && (change.before as DirectoryBefore) === null)
      .map(({ change }) => (change.spec as DirectorySpec).path),
  );
  const holding = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf("/"))));
  return [...new Set(made)].filter((path) => holding.has(path) && !/^\/(var|run)\//.test(path)).toSorted();
}

function pathOf({ kind, spec }: Operation): string | null {
  return kind === "file" || kind === "directory" ? (spec as { path: string }).path : null;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function drift(check: string, path: string, message: string, hint: string): Finding {
  return { check, severity: "error", message: `${path} ${message}`, hint };
}
