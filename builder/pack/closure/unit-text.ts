/** The parts of a systemd unit's text that name other files. */

export interface UnitNeeds {
  /** First words of Exec lines, without systemd's prefixes: absolute paths. */
  readonly executables: readonly string[];
  /** EnvironmentFile= and the like that are not optional (no leading `-`). */
  readonly files: readonly string[];
}

const execKeys: ReadonlySet<string> = new Set([
  "ExecStart",
  "ExecStartPre",
  "ExecStartPost",
  "ExecCondition",
  "ExecReload",
  "ExecStop",
  "ExecStopPost",
]);

/** Reads a unit (service, timer, socket, mount). Lines that end in a backslash go on; comments among them are skipped. */
export function readUnit(text: string): UnitNeeds {
  const executables: string[] = [];
  const files: string[] = [];
  for (const line of logicalLines(text)) {
    const equals = line.indexOf("=");
    if (equals < 0) continue;
    const key = line.slice(0, equals).trim();
    const value = line.slice(equals + 1).trim();
    if (execKeys.has(key) && value !== "") {
      const program = firstWord(value.replace(/^[@:+!|-]+/, ""));
      // `-` before a program only forgives a failure: a missing program is still a mistake of the bundle.
      if (program.startsWith("/")) executables.push(program);
    } else if (key === "EnvironmentFile" && value.startsWith("/")) {
      files.push(value);
    }
  }
  return { executables, files };
}

/** Logical lines, joined over trailing backslashes as systemd joins them, without comments. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | null = null;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("#") || line.startsWith(";")) continue;
    const continues = line.endsWith("\\");
    const part = continues ? line.slice(0, -1) : line;
    open = open === null ? part : `${open} ${part}`;
    if (continues) continue;
    if (open !== "") lines.push(open);
    open = null;
  }
  if (open !== null) lines.push(open);
  return lines;
}

function firstWord(text: string): string {
  const quoted = /^(["'])(.*?)\1/.exec(text);
  return quoted?.[2] ?? text.split(/\s/)[0] ?? "";
}
