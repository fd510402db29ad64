/** Names inside archives: cleaned, matched with what a release wants, and links resolved within the archive. */
import { posix } from "node:path";
import { ExpectedError } from "#cli/errors";

/** `./usr/bin/etcd` → `usr/bin/etcd`; PATH_ESCAPES for absolute names and `..`, ARCHIVE_INVALID for control characters. */
export function cleanName(name: string): string {
  if (name.startsWith("/") || name.split("/").includes("..")) {
    throw new ExpectedError("PATH_ESCAPES", `"${printable(name)}" leads out of the archive`);
  }
  if (/[\x00-\x1f\x7f]/.test(name)) {
    throw new ExpectedError("ARCHIVE_INVALID", `the name "${printable(name)}" has a control character`);
  }
  return name
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/**
 * What a link at `name` leads to, by name within the archive. With `rooted` (a package of the distribution) an absolute
 * target is one within the package; in any other archive it leads out: PATH_ESCAPES.
 */
export function linkTarget(name: string, kind: "symlink" | "hardlink", target: string, rooted: boolean): string {
  const escapes = (): ExpectedError =>
    new ExpectedError(
      "PATH_ESCAPES",
      `the link "${printable(name)}" leads out of the archive, to "${printable(target)}"`,
    );
  // A hard link's target is a member's name, so it is judged as one.
  if (kind === "hardlink") {
    if (target.startsWith("/") || target.split("/").includes("..")) throw escapes();
    return cleanName(target);
  }
  if (target.startsWith("/") && !rooted) throw escapes();
  const joined = target.startsWith("/") ? posix.normalize(target.slice(1)) : posix.join(posix.dirname(name), target);
  if (joined === ".." || joined.startsWith("../") || joined.startsWith("/")) throw escapes();
  return joined.replace(/\/$/, "");
}

/** The pattern that a name matches: itself, or `folder/*` for what is right below it. */
export function matchingPatterns(name: string, patterns: readonly string[]): string[] {
  return patterns.filter((pattern) =>
    pattern.endsWith("/*") ? posix.dirname(name) === cleanName(pattern.slice(0, -2)) : cleanName(pattern) === name,
  );
}

export function printable(name: string): string {
  return name.replaceAll(/[\x00-\x1f\x7f]/g, "?").slice(0, 200);
}
