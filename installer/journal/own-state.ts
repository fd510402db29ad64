/** The state folder must be ours alone: who can write it decides what undo does, and a link in it leads out of `--root`. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";

const folders = ["", "stage", "before", "bundles", "snapshots", "reserve"];
const files = ["journal", "lock", "install"];

/** PATH_ESCAPES for a link in the place of one of our own, JOURNAL_INVALID for a folder or file that others own or may write. */
export function refuseForeignState(folder: string): void {
  for (const name of folders) refuse(join(folder, name), "folder");
  for (const name of files) refuse(join(folder, name), "file");
}

/** The same for one file or folder; nothing where it is not there. */
export function refuse(path: string, kind: "file" | "folder"): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (kind === "file" ? !stat.isFile() : !stat.isDirectory()) {
    throw new ExpectedError("PATH_ESCAPES", "something else stands in the place of Kubeferry's own state", {
      where: path,
      expected: `a ${kind}`,
      found: stat.isSymbolicLink() ? "a symbolic link" : "something else",
      hint: `ls -l ${path}; Kubeferry never makes one there: who did?`,
    });
  }
  const own = process.geteuid?.() ?? 0;
  const foreign = stat.uid !== 0 && stat.uid !== own;
  if (!foreign && (stat.mode & 0o022) === 0) return;
  throw new ExpectedError("JOURNAL_INVALID", "others can write Kubeferry's state, and so decide what is undone", {
    where: path,
    expected: `owner ${own === 0 ? "root" : `root or ${own}`}, writable by nobody else`,
    found: `owner ${stat.uid}, mode ${formatMode(stat.mode)}`,
    hint: `look at what is in it; is it as it should be: chown -R root: ${path}; chmod -R go-w ${path}`,
  });
}
