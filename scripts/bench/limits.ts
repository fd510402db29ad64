/** What has an absolute goal: the start of the packaged programs, and the peak of their memory with a very large artifact. */
import { execFileSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { median, type Run, timed } from "./compare.ts";
import { largeArchive, type Material } from "./material.ts";
import type { Row } from "./row.ts";
import { archivesOf, build, bundleOf, dist, folder, fresh, kubeferry, measured, port, serve } from "./runs.ts";

const installer = join(dist, `install-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`);

/** Start of the packaged programs; the goal is absolute. */
export async function* start(given: Material, rounds: number): AsyncGenerator<Row> {
  const env = { PATH: "/usr/bin:/bin" };
  const version = (program: string) => (): Run => timed(() => void execFileSync(program, ["--version"], { env }));
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  const launcher = join(unpacked, "install");
  const programs = [launcher, installer, kubeferry];
  const times = programs.map((): number[] => []);
  const node: number[] = [];
  for (let round = 0; round < 4 * rounds; round += 1) {
    for (const [index, program] of programs.entries()) times[index]?.push(version(program)().seconds * 1000);
    node.push(timed(() => void execFileSync(process.execPath, ["-e", "0"], { env })).seconds * 1000);
  }
  for (const [index, program] of programs.entries()) {
    const ours = median(times[index] ?? []);
    const name = program === launcher ? "./install, the launcher," : basename(program);
    const against = `${name} --version / node -e 0`;
    const theirs = median(node);
    yield { name: "start", against, ours, theirs, ratio: ours / theirs, unit: "ms", memory: null, goal: null };
  }
}

/** Peak memory of the packaged programs with one file of 4 GB; no comparison, an upper limit. */
export async function* memory(given: Material): AsyncGenerator<Row> {
  const archive = await largeArchive(given);
  const nginx = await serve(given.dir);
  try {
    const cache = join(folder, "memory-store");
    fresh(cache);
    const bundle = await build(given, "memory", [...archivesOf(given), archive], `http://127.0.0.1:${port}`, cache);
    const to = join(folder, "out");
    fresh(to);
    fresh(join(folder, "unpacked"));
    execFileSync("tar", ["-xf", bundle.path, "-C", join(folder, "unpacked")]);
    const argv = ["--role", "worker", "--ip", "10.0.0.9", "--root", to, "--yes", "--key", join(folder, "memory.keys")];
    const install = await measured(join(folder, "unpacked/install"), argv);
    rmSync(cache, { recursive: true });
    const row = (against: string, peak: number, goal: number): Row => ({
      name: "memory",
      against,
      ours: peak / 1e6,
      theirs: null,
      ratio: null,
      unit: "MB",
      memory: peak,
      goal,
    });
    const size = (path: string): string => `${(statSync(path).size / 1e9).toFixed(2)} GB`;
    yield row(`kubeferry build, artifact of ${size(archive)}`, bundle.memory, 160);
    yield row(`./install, bundle of ${size(bundle.path)}`, install.memory, 128);
  } finally {
    nginx.kill();
  }
}
