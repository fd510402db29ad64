/** A folder's whole tree as comparable lines, and the programs of this project as a test runs them. */
import { spawn } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { checkJson } from "./json-lines.ts";

const project = join(import.meta.dirname, "../..");

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ran>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `./install` from source. */
export function startInstaller(args: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ["installer/main.ts", ...args], {
    cwd: project,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      // A failed check rejects the run, as an assertion of the test itself would.
      try {
        checkJson(args, stdout, code);
        resolve({ code, signal, stdout, stderr });
      } catch (error) {
        reject(error);
      }
    });
  });
  return { pid: child.pid ?? 0, ended, kill: (signal) => void child.kill(signal) };
}

export function installer(...args: string[]): Promise<Ran> {
  return startInstaller(args).ended;
}

/** Path → type, mode, owner, content, and (of files) the time of the last change. The folder itself is `.`. */
export function pictureOf(root: string): Record<string, string> {
  const lines: Record<string, string> = {};
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(path);
    const said = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) lines[name] = `-> ${readlinkSync(path)}`;
    else if (stat.isFile()) lines[name] = `file ${said} ${stat.mtimeMs} ${digestOf(readFileSync(path))}`;
    else if (stat.isDirectory()) {
      lines[name] = `directory ${said}`;
      for (const entry of readdirSync(path).toSorted()) visit(join(path, entry), join(name, entry));
    } else lines[name] = "other";
  };
  visit(root, ".");
  return lines;
}
