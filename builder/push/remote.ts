/** What push asks of a host by commands, each made of fixed words: what it is, digests of files, and things that take root. */
import { ExpectedError } from "#cli/errors";
import type { Digest, Platform } from "#bundle";
import type { Connection } from "./connection.ts";
import type { Credentials } from "./credentials.ts";
import type { Host } from "./inventory.ts";
import { shellQuote } from "./shell-quote.ts";

export interface Ended {
  readonly code: number;
  /** The end of what it said, where nobody took it line by line. */
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Called for each line of standard output, which is then kept nowhere. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Kept of what a host says: it may say anything, for ever. */
const kept = 1024 * 1024;

/** Runs words on a host. STALLED where the connection is lost. */
export async function run(connection: Connection, words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return connection.exec<Ended>(shellQuote(words), (channel, done) => {
    let [out, err, line] = ["", "", ""];
    let ended: { code: number | null; signal: string | undefined } | undefined;
    const interrupt = (): void => channel.signal("INT");
    options.signal?.addEventListener("abort", interrupt, { once: true });
    channel.setEncoding("utf8");
    channel.stderr.setEncoding("utf8");
    channel.on("data", (text: string) => {
      if (options.onLine === undefined) out = (out + text).slice(-kept);
      else {
        const lines = (line + text).split("\n");
        line = (lines.pop() ?? "").slice(-kept);
        for (const one of lines) options.onLine(one);
      }
    });
    channel.stderr.on("data", (text: string) => (err = (err + text).slice(-16_384)));
    channel.on("exit", (code: number | null, signal?: string) => (ended = { code, signal }));
    channel.on("error", (error: Error) => done(error));
    channel.on("close", () => {
      options.signal?.removeEventListener("abort", interrupt);
      if (ended === undefined) return done(new Error("a command's exit code did not come"));
      if (line !== "") options.onLine?.(line);
      const killed = ended.signal === undefined ? "" : `\nended by ${ended.signal}`;
      done(null, { code: ended.code ?? 255, out, err: `${err}${killed}` });
    });
    channel.end(options.input ?? "");
  });
}

/** How commands become root's on a host: words before them, and what is written to their standard input first. */
export interface Root {
  readonly words: readonly string[];
  readonly input: string;
}

export interface Probe {
  readonly platform: Platform;
  readonly root: Root;
}

const probeScript = `uname -s; uname -m; id -u; if command -v sha256sum >/dev/null 2>&1; then echo yes; else echo no; fi`;
const machines: Readonly<Record<string, Platform>> = {
  x86_64: "linux/amd64",
  amd64: "linux/amd64",
  aarch64: "linux/arm64",
  arm64: "linux/arm64",
};

/** What the host is, and that it can do what is asked of it. PLATFORM_MISMATCH, TOOL_MISSING, DENIED. */
export async function probe(connection: Connection, host: Host, credentials: Credentials): Promise<Probe> {
  const { out, err } = await run(connection, ["sh", "-c", probeScript]);
  const [system = "", machine = "", user = "", digests = ""] = out.trim().split("\n").slice(-4);
  const platform = system === "Linux" ? machines[machine] : undefined;
  if (platform === undefined) {
    const found = `${system} ${machine}`.trim() || err.trim() || "no answer";
    throw new ExpectedError("PLATFORM_MISMATCH", "the host is no machine that a node can be", {
      expected: "Linux x86_64 or aarch64",
      found,
    });
  }
  if (digests !== "yes") {
    throw new ExpectedError("TOOL_MISSING", "the host has no sha256sum, so nothing that is there can be checked", {
      hint: "install coreutils on it, or carry the bundle by hand",
    });
  }
  const isRoot = user === "0";
  if (isRoot || !host.sudo) {
    if (isRoot || host.root !== null) return { platform, root: { words: [], input: "" } };
    throw new ExpectedError("DENIED", `${host.login.user} is not root there`, {
      hint: "sudo: true in hosts.yaml, or user: root",
    });
  }
  return { platform, root: await becomeRoot(connection, credentials.passwordOf(host.login)) };
}

async function becomeRoot(connection: Connection, password: string | null): Promise<Root> {
  const silent = ["sudo", "-n", "--"];
  const first = await run(connection, [...silent, "true"]);
  if (first.code === 0) return { words: silent, input: "" };
  // -k: the password is read in any case, and never left for what follows on standard input.
  const asked = ["sudo", "-k", "-S", "-p", "", "--"];
  const input = `${password ?? ""}\n`;
  const second = password === null ? first : await run(connection, [...asked, "true"], { input });
  if (second.code === 0) return { words: asked, input };
  const hint =
    password === null ? "password: ask in hosts.yaml: sudo wants the user's" : "sudo -v on the host tells more";
  throw new ExpectedError("DENIED", "sudo refuses", { found: lastLine(second.err), hint });
}

/** {@link run} as root. */
export function runAsRoot(
  connection: Connection,
  root: Root,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  return run(connection, [...root.words, ...words], { ...options, input: `${root.input}${options.input ?? ""}` });
}

/** Paths in one command: no command line gets longer than a host takes. */
const atOnce = 200;

/** The digests of files below `folder`; those that cannot be read are left out. */
export async function digestsOf(
  connection: Connection,
  root: Root,
  folder: string,
  paths: readonly string[],
): Promise<Map<string, Digest>> {
  const found = new Map<string, Digest>();
  for (let from = 0; from < paths.length; from += atOnce) {
    const some = paths.slice(from, from + atOnce);
    const words = ["sh", "-c", 'cd -- "$0" && exec sha256sum -- "$@"', folder, ...some];
    const { out } = await runAsRoot(connection, root, words);
    for (const [, digest, path] of out.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)) {
      if (digest !== undefined && path !== undefined) found.set(path, digest as Digest);
    }
  }
  return found;
}

/** The last line that says something. */
export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(-500) ?? "";
}

/** Words with a pipe as their standard input, which can be opened by name, as `--key /dev/stdin` does; sshd's own may be a socket. */
export function shellOver(words: readonly string[]): string[] {
  return ["sh", "-c", 'cat | "$0" "$@"', ...words];
}
