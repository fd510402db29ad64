/** Lists an unpacked bundle. Links and devices are never followed or opened. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isCleanAbsolute } from "./clean-path.ts";
import type { IntegrityProblem } from "./problem.ts";
import { type Member, type Source, memberLimit } from "./member.ts";

/** A directory as a source; every regular file below it is a member. */
export function openDirectory(where: string): Source {
  const members = new Map<string, Member>();
  const problems: IntegrityProblem[] = [];

  function walk(below: string): void {
    const names = readdirSync(join(where, below)).toSorted();
    // A stick's own file system has an empty lost+found beside what was unpacked into its root.
    if (names.length === 0 && below !== "" && below !== "lost+found") {
      problems.push({ member: below, code: "MEMBER_EXTRA", message: "is an empty directory" });
    }
    for (const name of names) {
      const path = below === "" ? name : `${below}/${name}`;
      const file = join(where, path);
      const stat = lstatSync(file);
      if (members.size >= memberLimit) return;
      if (!isCleanAbsolute(`/${path}`)) {
        problems.push({ member: path, code: "PATH_ESCAPES", message: "is not a clean relative path" });
      } else if (stat.isDirectory()) {
        walk(path);
      } else if (stat.isFile()) {
        members.set(path, { path, file, offset: 0, size: stat.size });
      } else {
        problems.push({ member: path, code: "MEMBER_KIND", message: "is neither a file nor a directory" });
      }
    }
  }

  walk("");
  if (members.size >= memberLimit) {
    problems.push({ member: where, code: "ARCHIVE_BOMB", message: `more than ${memberLimit} files` });
  }
  return { kind: "directory", where, members, problems };
}
