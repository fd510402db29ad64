/** Credentials for private mirrors, in the form of ~/.netrc: `machine HOST login NAME password SECRET`. */

export interface NetrcEntry {
  /** Null: `default`, for every host that has no entry of its own. */
  readonly machine: string | null;
  readonly login: string;
  readonly password: string;
}

/** Entries in the order of the file; macros and comments are passed over, and so is what has no password. */
export function parseNetrc(text: string): NetrcEntry[] {
  const words = text
    .replace(/^macdef[^\n]*\n(?:[^\n]+\n)*/gm, "")
    .replace(/(^|\s)#[^\n]*/g, "$1")
    .split(/\s+/)
    .filter((word) => word !== "");
  const entries: { machine: string | null; login: string; password: string }[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === "machine") entries.push({ machine: words[(at += 1)] ?? "", login: "", password: "" });
    else if (word === "default") entries.push({ machine: null, login: "", password: "" });
    const last = entries.at(-1);
    if (last === undefined) continue;
    if (word === "login") last.login = words[(at += 1)] ?? "";
    else if (word === "password") last.password = words[(at += 1)] ?? "";
    else if (word === "account") at += 1;
  }
  return entries.filter(({ password }) => password !== "");
}

/** The Authorization for a URL: of its own name and password, or of its host's entry. */
export function basicFor(url: URL, entries: readonly NetrcEntry[] = []): string | undefined {
  const own = { login: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  const found = url.username === "" ? credentialsFor(url.hostname, entries) : own;
  return found && `Basic ${Buffer.from(`${found.login}:${found.password}`).toString("base64")}`;
}

export function credentialsFor(host: string, entries: readonly NetrcEntry[]): NetrcEntry | undefined {
  return entries.find(({ machine }) => machine === host) ?? entries.find(({ machine }) => machine === null);
}

/** What to do where a host wants credentials. */
export function netrcHint(host: string): string {
  return `put your credentials into ~/.netrc: machine ${host} login NAME password SECRET`;
}
