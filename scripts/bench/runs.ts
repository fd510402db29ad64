/** Runs what is compared: our programs, ours in a process of its own, nginx; and makes the bundles that they work on. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digestFile } from "#bundle";
import type { Run } from "./compare.ts";
import { compile, compileWorker, embeddedManifests } from "../compile.ts";
import { filesBelow, type Material } from "./material.ts";

const root = join(import.meta.dirname, "../..");
export const dist = join(root, "dist");
export const kubeferry = join(dist, "kubeferry");
export const folder = join(homedir(), ".cache/kubeferry/bench");
export const port = 18_291;

interface Built {
  readonly path: string;
  readonly memory: number;
  readonly seconds: number;
}

/** A bundle of archives in the folder, by the packaged `kubeferry build`. */
export async function build(
  given: Material,
  name: string,
  archives: readonly string[],
  base: string,
  cache: string,
): Promise<Built> {
  const artifacts = archives.map((path) => {
    const url = `${base}${path.slice(given.dir.length)}`;
    const component = path.replace(/^.*\//, "").replace(".tar.gz", "");
    const digest = `sha256:${digestFile(path).digest}`;
    return { component, from: url, digest };
  });
  const components = artifacts.map(({ component, from, digest }, index) => ({
    // A release has to have a runtime; which of the archives is called so does not matter here.
    name: index === 0 ? "containerd" : `part-${component}`,
    // Programs of one version share a frame.
    version: `1.${index}`,
    roles: ["worker", "etcd"],
    artifacts: [{ platform: "linux/amd64", from, digest, files: { [`${component}/*`]: "*" } }],
  }));
  const release = join(folder, `${name}-release.yaml`);
  writeFileSync(
    release,
    JSON.stringify({ release: name, description: name, generation: "distro", kubernetes: null, components }),
  );
  const config = join(folder, `${name}.yaml`);
  const libraries = ["libgpgme.so.11", "libwebp.so.7", "libsass.so.1", "libsubid.so.4", "libdevmapper.so.1.02.1"];
  const cluster = {
    name,
    release,
    nodes: [{ name: "n1", ip: "10.0.0.11", roles: ["etcd", "worker"] }],
    workers: { subnet: "10.0.0.0/24" },
    host: { provides: libraries },
  };
  writeFileSync(config, JSON.stringify(cluster));
  rmSync(join(folder, `${name}.lock`), { force: true });
  const path = join(folder, `${name}.tar`);
  return { path, ...(await measured(kubeferry, ["build", config, "-o", path, "--force", "--cache", cache])) };
}

/** Paths of what upstream would publish. */
export function archivesOf(given: Material): string[] {
  return filesBelow(join(given.dir, "archives")).map((name) => join(given.dir, "archives", name));
}

/** The bundle of all programs, as often as it is asked for built once. */
export async function bundleOf(given: Material): Promise<string> {
  return (await build(given, "bench", archivesOf(given), `file:${given.dir}`, join(folder, "bundle-store"))).path;
}

const compiled = join(folder, "ours.cjs");

/** Makes one file of {@link ours}, as the packaged programs are: the threads of sources would begin by compiling them. */
export async function compileOurs(): Promise<void> {
  const worker = await compileWorker(folder);
  await compile("scripts/bench/ours.ts", compiled, { worker, plugins: [embeddedManifests()] });
}

export function ours(...argv: string[]): Run {
  const result = spawnSync(process.execPath, [compiled, ...argv], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Run;
}

export function quietly(program: string, argv: readonly string[]): void {
  execFileSync(program, argv, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: "/usr/bin:/bin", HOME: homedir() },
  });
}

/** Runs a program to its end; the kernel keeps the peak of its memory, which is looked at until then. */
export async function measured(program: string, argv: readonly string[]): Promise<{ memory: number; seconds: number }> {
  const from = performance.now();
  const env = { PATH: "/usr/bin:/bin", HOME: homedir() };
  const child = spawn(program, argv, { stdio: ["ignore", "ignore", "inherit"], env });
  let memory = 0;
  const look = setInterval(() => {
    const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, "utf8") : "";
    memory = Math.max(memory, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024);
  }, 20);
  const [code] = (await once(child, "close")) as [number];
  clearInterval(look);
  if (code !== 0) throw new Error(`${program} ${argv.join(" ")} ended with ${code}`);
  return { memory, seconds: (performance.now() - from) / 1000 };
}

/** An empty folder. What it held is gone from the disk too, so that no run pays for the deletion of another's files. */
export function fresh(path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  execFileSync("sync", ["-f", path]);
}

/** nginx of the distribution on loopback, serving a folder; the caller ends it. */
export async function serve(served: string): Promise<{ kill: () => void }> {
  const state = join(folder, "nginx");
  fresh(state);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${state};`);
  const config = `daemon off; pid ${state}/pid; error_log ${state}/error; worker_processes 1; events {}
    http { access_log off; sendfile on; ${temporary.join(" ")}
      server { listen 127.0.0.1:${port}; root ${served}; } }`;
  writeFileSync(join(state, "nginx.conf"), process.getuid?.() === 0 ? `user root; ${config}` : config);
  const child = spawn("nginx", ["-c", join(state, "nginx.conf"), "-e", join(state, "error")], { stdio: "inherit" });
  await once(child, "spawn");
  await answering(child);
  return { kill: () => child.kill() };
}

/** Until nginx takes connections; throws when it ends instead. */
async function answering(child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    await answer?.body?.cancel();
    if (answer !== null) return;
    await sleep(50);
  }
}
