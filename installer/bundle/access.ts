/** Who may change what was verified: modes and owners of a bundle's members, and of the folders they lie in. */
import type { Stats } from "node:fs";
import { formatMode } from "#cli/quantities";
import type { Member, Source } from "./member.ts";
import type { IntegrityProblem } from "./problem.ts";

const writableByOthers = 0o022;

/**
 * What is wrong with a member's mode and owner. A tar says exactly what root's `tar -xf` will make of it. What was
 * unpacked may have fewer bits (a umask) or more that only let execute (FAT), but nobody else may write it.
 */
export function accessProblems(kind: Source["kind"], member: Member, expected: number): IntegrityProblem[] {
  const { path, mode, uid } = member;
  const found = `mode ${formatMode(mode)}`;
  const problem = (message: string, detail: { expected: string; found: string }): IntegrityProblem => {
    return { member: path, code: "MEMBER_MODE", message, ...detail };
  };
  if (kind === "tar") {
    if (mode === expected) return [];
    return [problem("has another mode than the index says", { expected: `mode ${formatMode(expected)}`, found })];
  }
  const problems: IntegrityProblem[] = [];
  if ((mode & writableByOthers) !== 0) {
    problems.push(problem("may be written by others", { expected: `mode ${formatMode(expected)}`, found }));
  }
  return [...problems, ...ownerProblem(path, uid)];
}

/** The same for a folder: whoever may write it can put other files under the names that were verified. */
export function folderProblems(path: string, { mode, uid }: Pick<Stats, "mode" | "uid">): IntegrityProblem[] {
  const problems = ownerProblem(path, uid);
  if ((mode & 0o002) === 0) return problems;
  const detail = { expected: "mode 0755", found: `mode ${formatMode(mode)}` };
  return [...problems, { member: path, code: "MEMBER_MODE", message: "is a folder that anybody may write", ...detail }];
}

function ownerProblem(member: string, uid: number): IntegrityProblem[] {
  const own = process.geteuid?.() ?? 0;
  if (uid === 0 || uid === own) return [];
  const expected = own === 0 ? "owner 0 (root)" : `owner 0 or ${own}`;
  return [{ member, code: "MEMBER_MODE", message: "belongs to another user", expected, found: `owner ${uid}` }];
}
