/** With local-files.ts the one place of the installer that touches the machine. Every effect may be performed again after a crash. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { digestFile, inPool } from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import type { Effect } from "./effect.ts";
import type { Host, QueryResult, Stat } from "./host.ts";
import { inside, insideFollowed } from "./inside.ts";
import {
  change,
  codeOf,
  type ContentFolders,
  keep,
  keptName,
  makeDirectory,
  move,
  removeFile,
  removeTree,
  replace,
  restore,
  setAside,
  tolerate,
  write,
} from "./local-files.ts";
import { momentaryCredential } from "./momentary-credential.ts";
import { end, umount } from "./local-processes.ts";
import { setRules } from "./nft-rules.ts";
import { explained } from "./refusal.ts";
import { commandOf, startedBy } from "./systemd.ts";

export interface LocalHostOptions {
  /** `/`, or the mounted tree of `--root`. */
  readonly root: string;
  readonly contents: ContentFolders;
  /** Default: whether `root` is `/`. */
  readonly live?: boolean;
}

const smallFile = 1024 * 1024;
const outputLimit = 256 * 1024;
const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
  SYSTEMD_PAGER: "",
};

/** The host below `root`. `perform` throws NO_SPACE when the disk is full and APPLY_FAILED for anything else. */
export function createLocalHost({ root, contents, live = root === "/" }: LocalHostOptions): Host {
  return {
    root,
    live,
    async stat(path) {
      return describe(inside(root, path));
    },
    async digest(path) {
      return digestFile(inside(root, path)).digest;
    },
    digests(files) {
      const jobs = files.map(({ path, size }) => ({ path: inside(root, path), size }));
      return inPool("digest", jobs, { weight: ({ size }) => size });
    },
    async read(path) {
      return readSmall(insideFollowed(root, path));
    },
    async list(path) {
      try {
        return fs.readdirSync(insideFollowed(root, path)).toSorted();
      } catch {
        return [];
      }
    },
    query: (argv, { timeoutSeconds = 60, ...rest } = {}) => run(argv, timeoutSeconds, rest),
    async perform(effect) {
      try {
        await perform(effect, root, contents);
      } catch (error) {
        throw explained(error, effect);
      }
    },
  };
}

async function perform(effect: Effect, root: string, contents: ContentFolders): Promise<void> {
  if (effect.do === "run") return runEffect(effect, root);
  if (effect.do === "systemctl") return runEffect({ do: "run", ...commandOf(effect) }, root, startedBy(effect));
  if (effect.do === "nft") return setRules(effect, (argv) => run(argv, 60, {}));
  if (effect.do === "end") return end(effect);
  const path = inside(root, effect.path);
  switch (effect.do) {
    case "mkdir":
      return makeDirectory(path, effect.mode, effect.owner);
    case "keep":
      return keep(path, effect.digest, join(contents.before, keptName(effect.digest, effect.path)));
    case "write":
      return write(path, effect.content, contents.stage, { ...effect, mtimeMs: effect.mtimeMs ?? null });
    case "sign": {
      const text = await momentaryCredential(effect, (file) => readSmall(insideFollowed(root, file)));
      return write(path, { text }, contents.stage, { mode: 0o600, owner: { uid: 0, gid: 0 }, mtimeMs: null });
    }
    case "restore":
      return restore(path, effect.digest, join(contents.before, keptName(effect.digest, effect.path)), effect);
    case "symlink":
      return replace(path, (temporary) => fs.symlinkSync(effect.target, temporary));
    case "set-aside":
      return setAside(path);
    case "move":
      return move(path, inside(root, effect.to));
    case "remove":
      return removeFile(path);
    case "rmdir-if-empty": {
      // Asked first, since on a read-only file system even what is not there cannot be removed.
      if (describe(path) === null) return;
      const fine = ["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "ENOTDIR"];
      return tolerate(() => change(path, () => fs.rmdirSync(path)), ...fine);
    }
    case "remove-tree":
      return removeTree(path);
    case "umount":
      return umount(path, (argv, seconds) => run(argv, seconds, {}));
    case "set":
      return tolerate(() => fs.writeFileSync(path, effect.value, { flag: "r+" }), effect.optional ? "ENOENT" : "");
  }
}

function describe(path: string): Stat | null {
  let stat: fs.Stats | undefined;
  try {
    stat = fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) !== "ENOTDIR") throw error;
  }
  if (stat === undefined) return null;
  const { dev: device, size, mtimeMs } = stat;
  const owner = { uid: stat.uid, gid: stat.gid };
  const mode = stat.mode & 0o7777;
  if (stat.isFile()) return { type: "file", mode, owner, size, mtimeMs, device };
  if (stat.isDirectory()) return { type: "directory", mode, owner, device };
  if (stat.isSymbolicLink()) return { type: "symlink", target: fs.readlinkSync(path), device };
  return { type: "other", device };
}

function readSmall(path: string): string | null {
  try {
    const stat = fs.statSync(path);
    if (!stat.isFile() || stat.size > smallFile) return null;
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly outputLimit?: number;
  /** A file, opened, or text: its standard input. */
  readonly stdin?: number;
  readonly input?: string;
  /** Ends the program like a time-out. */
  readonly stop?: AbortSignal;
}

/** How long the pipes of a program that has ended may stay open. */
const graceMs = 2000;

/** Runs a program with a fixed environment, never through a shell; a missing program gives code 127, a time-out 124. */
function run(argv: readonly string[], timeoutSeconds: number, options: RunOptions): Promise<QueryResult> {
  const [program = "", ...args] = argv;
  const keep = (text: string): string => text.slice(-(options.outputLimit ?? outputLimit));
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let straggling: NodeJS.Timeout | undefined;
    // In a group of its own: the operator's Ctrl-C is ours to answer, between two effects.
    const child = spawn(program, args, {
      env: { ...environment, ...options.environment },
      stdio: [options.input === undefined ? (options.stdin ?? "ignore") : "pipe", "pipe", "pipe"],
      detached: true,
    });
    // Not spawn's own time-out, which keeps the process waiting where the program does not even exist.
    const timer = setTimeout(() => killGroup(child.pid), timeoutSeconds * 1000);
    // What it left running in a group of its own may hold the pipes for ever. What it said itself is read first.
    const closePipes = (): void => [child.stdout, child.stderr].forEach((pipe) => pipe?.destroy());
    child.once("exit", () => (straggling = setTimeout(() => setImmediate(closePipes), graceMs)));
    options.stop?.addEventListener("abort", () => killGroup(child.pid), { once: true });
    const end = (result: QueryResult): void => {
      clearTimeout(timer);
      clearTimeout(straggling);
      resolve(result);
    };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout = keep(stdout + text)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr = keep(stderr + text)));
    // A program that ends without reading it all says why by its exit code.
    child.stdin?.on("error", () => {}).end(options.input);
    child.on("error", (error) => end({ code: codeOf(error) === "ENOENT" ? 127 : 126, stdout, stderr: error.message }));
    child.on("close", (code) => end({ code: code ?? 124, stdout, stderr }));
  });
}

/** With what it started itself: a grandchild may hold the pipes that are waited for. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  tolerate(() => process.kill(-pid, "SIGKILL"), "ESRCH");
}

/** Lets another program take this one's place: same terminal, its exit code. For the installer that a journal names. */
export function handOver(argv: readonly string[]): Promise<number> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    spawn(program, args, { stdio: "inherit" })
      .on("error", reject)
      .on("close", (code) => resolve(code ?? 1));
  });
}

/** `starting`: the unit that it starts; when that ends again and again, this has failed, and is not waited out. */
async function runEffect(effect: Effect & { do: "run" }, root: string, starting?: string): Promise<void> {
  const deadline = performance.now() + (effect.timeoutSeconds ?? 300) * 1000;
  for (;;) {
    try {
      return await runOnce(effect, root, starting);
    } catch (error) {
      const again = effect.retry !== undefined && new RegExp(effect.retry).test(messageOf(error));
      if (!again || performance.now() > deadline) throw error;
      await pause(1000);
    }
  }
}

async function runOnce(effect: Effect & { do: "run" }, root: string, starting?: string): Promise<void> {
  const seconds = effect.timeoutSeconds ?? 300;
  const stdin = effect.stdin === undefined ? undefined : fs.openSync(insideFollowed(root, effect.stdin), "r");
  const crashing = new AbortController();
  const watch = starting === undefined ? undefined : watchUnit(starting, crashing);
  const options = {
    environment: effect.environment,
    stop: crashing.signal,
    ...(stdin === undefined ? {} : { stdin }),
    ...(effect.input === undefined ? {} : { input: effect.input }),
  };
  const { code, stdout, stderr } = await run(effect.argv, seconds, options).finally(() => {
    clearInterval(watch);
    if (stdin !== undefined) fs.closeSync(stdin);
  });
  const accepted = (effect.accept ?? [0]).includes(code);
  if (accepted && (effect.matches === undefined || new RegExp(effect.matches, "m").test(stdout))) return;
  if (accepted) throw unmatched(effect, stdout);
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("; ");
  const reason = crashing.signal.aborted ? `is in vain: ${starting} ends again and again` : reasonOf(code, seconds);
  if (effect.forgive !== undefined && new RegExp(effect.forgive, "m").test(`${stderr}\n${reason}`)) return;
  throw new ExpectedError("APPLY_FAILED", `${effect.argv[0]} ${reason}${said === "" ? "" : `: ${said}`}`, {
    where: effect.argv.join(" "),
    hint: starting === undefined ? effect.argv.join(" ") : `journalctl -u ${starting} -n 50 --no-pager`,
  });
}

function reasonOf(code: number, seconds: number): string {
  if (code === 124) return `did not end within ${seconds} s`;
  return code === 127 ? "is not there" : `ended with ${code}`;
}

/** systemd restarts what fails, and whoever started it waits meanwhile: two more restarts than before are no start. */
function watchUnit(unit: string, crashing: AbortController): NodeJS.Timeout {
  let least = Infinity;
  const look = (): void => {
    void run(["systemctl", "show", "-p", "NRestarts", unit], 60, {}).then(({ stdout }) => {
      const count = Number(/^NRestarts=(\d+)/.exec(stdout)?.[1] ?? 0);
      // An earlier count is kept until systemd forgets it with a new start.
      least = Math.min(least, count);
      if (count >= least + 2) crashing.abort();
      return undefined;
    });
  };
  look();
  return setInterval(look, 2000);
}

function unmatched({ argv, matches }: Effect & { do: "run" }, stdout: string): ExpectedError {
  return new ExpectedError("APPLY_FAILED", `${argv[0]} ended well, but what it says is not what is wanted`, {
    where: argv.join(" "),
    expected: matches,
    found: stdout.trim().split("\n").slice(-3).join("; ") || "nothing",
    hint: argv.join(" "),
  });
}
