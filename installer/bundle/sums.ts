/** SHA256SUMS: one line a member, in the strict form of `sha256sum`: 64 hex digits, two spaces, the path. */
import { type Digest, isDigest } from "./digest.ts";
import { isCleanAbsolute } from "./clean-path.ts";
import { memberLimit } from "./member.ts";
import type { IntegrityProblem } from "./problem.ts";

/** More say nothing more, and a hostile list must not fill the memory. */
const mostProblems = 100;

export const sumsPath = "SHA256SUMS";
export const signaturePath = "SHA256SUMS.minisig";

/** The file's text for members in the given order. */
export function encodeSums(members: Iterable<readonly [path: string, digest: Digest]>): string {
  return [...members].map(([path, digest]) => `${digest}  ${path}\n`).join("");
}

/** Digest by path, and every line that is not of the form, escapes, or names a member again. */
export function decodeSums(text: string): { sums: Map<string, Digest>; problems: IntegrityProblem[] } {
  const sums = new Map<string, Digest>();
  const problems: IntegrityProblem[] = [];
  if (text !== "" && !text.endsWith("\n")) {
    problems.push({ member: sumsPath, code: "FORMAT_INVALID", message: "does not end with a line feed" });
  }
  let number = -1;
  for (const line of linesOf(text)) {
    number += 1;
    if (problems.length >= mostProblems || sums.size >= memberLimit) {
      problems.push({
        member: sumsPath,
        code: "ARCHIVE_BOMB",
        message: `the rest is not looked at, from line ${number}`,
      });
      break;
    }
    const digest = line.slice(0, 64);
    const path = line.slice(66);
    if (!isDigest(digest) || line.slice(64, 66) !== "  " || path === "") {
      const message = `line ${number + 1} is not 64 hex digits, two spaces and a path`;
      problems.push({ member: sumsPath, code: "FORMAT_INVALID", message });
    } else if (!isCleanAbsolute(`/${path}`)) {
      problems.push({ member: path, code: "PATH_ESCAPES", message: `${sumsPath} names a path outside the bundle` });
    } else if (sums.has(path)) {
      problems.push({ member: path, code: "MEMBER_DUPLICATE", message: `is in ${sumsPath} more than once` });
    } else {
      sums.set(path, digest);
    }
  }
  return { sums, problems };
}

/** One after the other: 32 MB of line feeds as a list would be a gigabyte. */
function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const end = text.indexOf("\n", from);
    yield text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length : end + 1;
  }
}
