/** What has an absolute goal: the start of the packaged programs, and the peak of their memory with a very large artifact. */
import { execFileSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { median, type Row, type Run, timed } from "./compare.ts";
import { largeArchive, type Material } from "./material.ts";
import { build, dist, folder, fresh, kubeferry, measured, port, serve } from "./runs.ts";

const installer = join(dist, `install-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`);

/** Start of the packaged programs; the goal is absolute. */
export async function start(rounds: number): Promise<Row[]> {
  const env = { PATH: "/usr/bin:/bin" };
  const version = (program: string) => (): Run => timed(() => void execFileSync(program, ["--version"], { env }));
  const programs = [installer, kubeferry, join(dist, "install")];
  const times = programs.map((): number[] => []);
  const node: number[] = [];
  for (let round = 0; round < 4 * rounds; round += 1) {
    for (const [index, program] of programs.entries()) times[index]?.push(version(program)().seconds);
    node.push(timed(() => void execFileSync(process.execPath, ["-e", "0"], { env })).seconds);
  }
  return programs.map((program, index) => ({
    what: `${program.slice(dist.length + 1)} --version / node -e 0`,
    ours: `${(median(times[index] ?? []) * 1000).toFixed(0)} ms`,
    theirs: `${(median(node) * 1000).toFixed(0)} ms`,
    ratio: (median(times[index] ?? []) / median(node)).toFixed(2),
    goal: "≤ 60 ms",
    memory: "",
    load: (loadavg()[0] ?? 0).toFixed(1),
  }));
}

/** Peak memory of the packaged programs with an artifact of more than 1 GB; no comparison, an upper limit. */
export async function memory(given: Material): Promise<Row[]> {
  const archive = largeArchive(given);
  const nginx = await serve(given.dir);
  try {
    const cache = join(folder, "memory-store");
    fresh(cache);
    const bundle = await build(given, "memory", [archive], `http://127.0.0.1:${port}`, cache);
    const to = join(folder, "out");
    fresh(to);
    fresh(join(folder, "unpacked"));
    execFileSync("tar", ["-xf", bundle.path, "-C", join(folder, "unpacked")]);
    const argv = ["--role", "worker", "--ip", "10.0.0.9", "--root", to, "--yes", "--key", join(folder, "memory.keys")];
    const install = await measured(join(folder, "unpacked/install"), argv);
    rmSync(cache, { recursive: true });
    const row = (what: string, peak: number, seconds: number, goal: string): Row => ({
      what,
      ours: `${seconds.toFixed(1)} s`,
      theirs: "",
      ratio: "",
      goal,
      memory: `${(peak / 1e6).toFixed(0)} MB`,
      load: (loadavg()[0] ?? 0).toFixed(1),
    });
    const size = (path: string): string => `${(statSync(path).size / 1e9).toFixed(2)} GB`;
    return [
      row(`kubeferry build, artifact of ${size(archive)}`, bundle.memory, bundle.seconds, "≤ 256 MB (400)"),
      row(`./install of it, bundle of ${size(bundle.path)}`, install.memory, install.seconds, "≤ 160 MB"),
    ];
  } finally {
    nginx.kill();
  }
}
