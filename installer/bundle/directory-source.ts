/** Lists an unpacked bundle. Links and devices are never followed or opened. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { folderProblems } from "./access.ts";
import { isCleanAbsolute } from "./clean-path.ts";
import type { IntegrityProblem } from "./problem.ts";
import { readable } from "./readable.ts";
import { type Member, type Source, memberLimit } from "./member.ts";

/** Folders within folders; a bundle's own are `blobs/sha256`. */
const depthLimit = 4;

/** A directory as a source; every regular file below it is a member. */
export function openDirectory(where: string): Source {
  const members = new Map<string, Member>();
  const problems: IntegrityProblem[] = [];

  function walk(below: string, depth: number): void {
    const folder = join(where, below);
    const names = readable(folder, () => readdirSync(folder)).toSorted();
    problems.push(...folderProblems(below === "" ? "." : below, lstatSync(folder)));
    // A stick's own file system has an empty lost+found beside what was unpacked into its root.
    if (names.length === 0 && below !== "" && below !== "lost+found") {
      problems.push({ member: below, code: "MEMBER_EXTRA", message: "is an empty directory" });
    }
    for (const name of names) {
      const path = below === "" ? name : `${below}/${name}`;
      const file = join(where, path);
      if (members.size >= memberLimit) return;
      // What is no UTF-8 was read with U+FFFD in its place and cannot be opened by that name.
      if (!isCleanAbsolute(`/${path}`) || name.includes("\ufffd")) {
        problems.push({ member: path, code: "PATH_ESCAPES", message: "is not a clean relative path" });
        continue;
      }
      const stat = readable(file, () => lstatSync(file));
      if (stat.isDirectory()) {
        if (depth < depthLimit) walk(path, depth + 1);
        else problems.push({ member: path, code: "MEMBER_EXTRA", message: "is a folder that no bundle has" });
      } else if (stat.isFile()) {
        members.set(path, { path, file, offset: 0, size: stat.size, mode: stat.mode & 0o7777, uid: stat.uid });
      } else {
        problems.push({ member: path, code: "MEMBER_KIND", message: "is neither a file nor a directory" });
      }
    }
  }

  walk("", 0);
  if (members.size >= memberLimit) {
    problems.push({ member: where, code: "ARCHIVE_BOMB", message: `more than ${memberLimit} files` });
  }
  return { kind: "directory", where, members, problems };
}
