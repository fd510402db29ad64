/** What lies in our directories and is not ours. */
import type { WrittenEntry } from "#bundle";
import type { Finding } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import { installedGoals } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { idsOf } from "../resources/catalogue.ts";
import type { FileId } from "../resources/file.ts";
import type { UnitId } from "../resources/unit.ts";
import { drift } from "./drift-finding.ts";
import { isWritten } from "./written.ts";

/** What a unit names may come about by itself, and what programs are declared to write. */
export async function findExtra(
  host: HostReader,
  present: readonly Transaction[],
  files: readonly FileId[],
  units: readonly UnitId[],
  written: readonly WrittenEntry[],
): Promise<Finding[]> {
  const known = new Set(installedGoals(present).keys());
  const texts = await Promise.all(units.map(({ file }) => host.read(file)));
  const named = (path: string): boolean => texts.some((text) => text !== null && names(text, path));
  const findings: Finding[] = [];
  for (const folder of ownFolders(present, files)) {
    for (const name of await host.list(folder)) {
      const path = `${folder}/${name}`;
      if (known.has(path) || named(path) || written.some((entry) => isWritten(entry, path))) continue;
      findings.push(drift("extra", path, "is not of this installation", `ls -l ${path}`));
    }
  }
  return findings;
}

/** Whether a text has this path as a whole word. */
function names(text: string, path: string): boolean {
  const at = text.indexOf(path);
  return at >= 0 && !/[\w.-]/.test(text[at + path.length] ?? " ");
}

/** Directories that we made and put files into, but for those that programs write into (/var, /run). */
function ownFolders(transactions: readonly Transaction[], files: readonly FileId[]): string[] {
  const made = transactions.flatMap(({ changes }) =>
    idsOf(
      "directory",
      changes.map(({ change }) => change).filter(({ before }) => before === null),
    ).map(({ path }) => path),
  );
  const holding = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf("/"))));
  return [...new Set(made)].filter((path) => holding.has(path) && !/^\/(var|run)\//.test(path)).toSorted();
}
