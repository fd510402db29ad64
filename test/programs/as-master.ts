/**
 * The installer as a command on a host that is a master: with mounts of its own, in which a placed node's
 * /etc/kubernetes and a real kubectl lie where the installer looks for them. /etc is read-only there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkJson } from "./json-lines.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

const main = join(import.meta.dirname, "../../installer/main.ts");
const script =
  'mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc && ' +
  'mount -t overlay overlay -o "lowerdir=$1/usr/local/bin:/usr/local/bin" /usr/local/bin && shift && exec "$@"';

/** What a master with the files below `root` says to `./install …words`. */
export function startInstaller(root: string, ...words: string[]): Started {
  return startInstallerOn((argv) => argv, root, ...words);
}

/** The same on a host of the test: `around` gives the command that runs a command there. */
export function startInstallerOn(
  around: (argv: readonly string[]) => readonly string[],
  root: string,
  ...words: string[]
): Started {
  const own = ["unshare", "-m", "/bin/bash", "-c", script, "as-master", root, process.execPath, main, ...words];
  const [program = "", ...argv] = around(own);
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr }))).then(
    (ran) => {
      checkJson(words, ran.stdout, ran.code);
      return ran;
    },
  );
  return { child, ended };
}

export function runInstaller(root: string, ...words: string[]): Promise<Ended> {
  return startInstaller(root, ...words).ended;
}

/** Puts kubectl in its place below `root`, and lets the administrator's kubeconfig lead to a port of loopback. */
export function equipMaster(root: string, kubectl: string, port: number): void {
  const place = join(root, "usr/local/bin");
  mkdirSync(place, { recursive: true });
  symlinkSync(kubectl, join(place, "kubectl"));
  leadTo(root, port);
}

export function leadTo(root: string, port: number): void {
  const path = join(root, "etc/kubernetes/admin.kubeconfig");
  const text = readFileSync(path, "utf8").replace(/server: \S+/, `server: https://127.0.0.1:${port}`);
  writeFileSync(path, text);
}
