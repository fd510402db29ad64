/** Absolute paths that a unit, a configuration or a flag names. */

/** A slash that starts a word, a quoted text, a flag's value, a list's item or a mount; never the slashes of a URL. */
const pathPattern = /(?<![^\s"'=:,;[({<>|`])\/(?!\/)(?:[\w.@+%-]+\/)*[\w.@+%-]+/g;

/** Each path once. `#` and `;` comments at the start of a line are skipped; a variable in a path hides it. */
export function pathsNamedBy(text: string): string[] {
  const found = new Set<string>();
  for (const line of text.split("\n")) {
    if (/^\s*(#|;|\/\/)/.test(line)) continue;
    for (const match of line.matchAll(pathPattern)) {
      const after = line[match.index + match[0].length] ?? "";
      const path = match[0].replace(/[.]+$/, "");
      // What goes on in a variable, a glob or a URL's port is no path that could be looked up.
      if (!/[$*?{<]/.test(after) && !path.includes("%") && !path.includes("/../")) found.add(path);
    }
  }
  return [...found];
}
