/**
 * `npm run bench [-- NAME…] [--rounds N]`: how fast we are beside what an operator would type instead, in one run on one
 * machine, interleaved; medians, the ratio of neighbouring runs, and the goal. Figures never become assertions:
 * docs/performance.md tells what was measured, where and when.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digestFile } from "#bundle";
import { compare, type Comparison, median, type Row, type Run, table, timed } from "./bench/compare.ts";
import { filesBelow, largeArchive, material, type Material, shell } from "./bench/material.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const kubeferry = join(dist, "kubeferry");
const installer = join(dist, `install-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`);
const folder = join(homedir(), ".cache/kubeferry/bench");
const port = 18_291;

const words = process.argv.slice(2);
const at = words.indexOf("--rounds");
const rounds = at < 0 ? 5 : Number(words.splice(at, 2)[1]);

const parts: Readonly<Record<string, (given: Material) => Promise<Row[]>>> = {
  start,
  verify: async (given) => comparing(await verifying(given)),
  extract: async (given) => comparing(await extracting(given)),
  install: async (given) => comparing(await installing(given)),
  pack: async (given) => comparing(...packing(given)),
  fetch: async (given) => fetching(given),
  memory,
};
await main();

async function main(): Promise<void> {
  const given = await material(folder);
  const chosen = words.length > 0 ? words : Object.keys(parts);
  const rows: Row[] = [];
  console.log(
    `${given.programs.length} programs, ${(given.size / 1e6).toFixed(0)} MB; ${rounds} rounds; load ${(loadavg()[0] ?? 0).toFixed(1)}`,
  );
  for (const name of chosen) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`no comparison is called ${name}; there are ${Object.keys(parts).join(", ")}`);
    const found = await part(given);
    rows.push(...found);
    console.log(`\n${table(found)}`);
  }
  if (chosen.length > 1) console.log(`\n${table(rows)}`);
}

async function comparing(...all: Comparison[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const one of all) rows.push(...(await compare(one, rounds)));
  return rows;
}

/** Start of the packaged programs; the goal is absolute. */
async function start(): Promise<Row[]> {
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

async function verifying(given: Material): Promise<Comparison> {
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  return {
    name: "verify a bundle",
    goal: 0.25,
    ours: { name: "kubeferry", run: () => ours("verify", unpacked) },
    theirs: [{ name: "sha256sum -c", run: () => timed(() => shell("sha256sum -c --quiet SHA256SUMS", unpacked)) }],
  };
}

async function extracting(given: Material): Promise<Comparison> {
  const bundle = await bundleOf(given);
  const to = join(folder, "out");
  const unpack = "tar --zstd -xf ../all.tar.zst; sync -f .";
  return {
    name: "verify, unpack, durable",
    goal: 0.38,
    ours: { name: "kubeferry", prepare: () => fresh(to), run: () => ours("extract", bundle, to) },
    theirs: [
      {
        name: "tar --zstd -xf; sync -f; sha256sum -c",
        prepare: () => fresh(to),
        run: () => timed(() => shell(`${unpack}; sha256sum -c --quiet SHA256SUMS`, to)),
      },
      { name: "tar --zstd -xf; sync -f", prepare: () => fresh(to), run: () => timed(() => shell(unpack, to)) },
    ],
  };
}

/** The whole `./install` and `./install audit`, every journalled step of it. */
async function installing(given: Material): Promise<Comparison> {
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  const to = join(folder, "out");
  const argv = ["--role", "worker", "--ip", "10.0.0.9", "--root", to, "--yes", "--key", join(folder, "bench.keys")];
  const there = join(folder, "there");
  return {
    name: "./install --root, whole",
    goal: 1,
    ours: {
      name: "kubeferry",
      prepare: () => fresh(to),
      run: () => timed(() => quietly(join(unpacked, "install"), argv)),
    },
    theirs: [
      {
        name: "sha256sum -c bundle; tar --zstd -xf; sync -f; sha256sum -c files",
        prepare: () => fresh(there),
        run: () =>
          timed(() => {
            shell("sha256sum -c --quiet SHA256SUMS", unpacked);
            shell("tar --zstd -xf ../all.tar.zst; sync -f .; sha256sum -c --quiet SHA256SUMS", there);
          }),
      },
    ],
  };
}

function packing(given: Material): Comparison[] {
  const programs = join(given.dir, "programs");
  const store = join(folder, "pack-store");
  const output = join(folder, "packed.tar");
  const run = (): Run => ours("pack", programs, store, output);
  const tar = "tar -I 'zstd -q -3 -T0' -cf ../theirs.tar.zst .; sync -f ../theirs.tar.zst";
  const theirs = [
    { name: "tar | zstd -3 -T0; sha256sum", run: () => timed(() => shell(`${tar}; sha256sum */*`, programs)) },
    { name: "tar | zstd -3 -T0", run: () => timed(() => shell(tar, programs)) },
  ];
  const clean = (): void => rmSync(output, { force: true });
  return [
    {
      name: "pack",
      goal: 0.6,
      ours: { name: "kubeferry", prepare: () => (clean(), rmSync(store, { recursive: true, force: true })), run },
      theirs,
    },
    { name: "pack, frames cached", goal: 0.15, ours: { name: "kubeferry", prepare: clean, run }, theirs },
  ];
}

async function fetching(given: Material): Promise<Row[]> {
  const nginx = await serve(given.dir);
  try {
    const store = join(folder, "fetch-store");
    const base = `http://127.0.0.1:${port}`;
    const there = join(folder, "there");
    const prepare = (): void => {
      fresh(store);
      fresh(there);
    };
    const archives = join(given.dir, "archives");
    const curl = (names: readonly string[]): string =>
      `curl -sSf -Z ${names.map((name) => `-O ${base}/${name}`).join(" ")}`;
    const names = filesBelow(archives).map((name) => `archives/${name}`);
    const one = join(folder, "one");
    fresh(one);
    execFileSync("ln", [join(given.dir, "all.tar.gz"), one]);
    const two = given.programs.filter((path) => /\/(containerd|runc)$/.test(path)).map((path) => `./${path}`);
    return comparing(
      {
        name: "fetch archives, all members",
        goal: 0.35,
        ours: {
          name: "kubeferry",
          prepare,
          run: () => ours("fetch", `${base}/archives`, archives, store, ".tar.gz", "%/*"),
        },
        theirs: [
          {
            name: "curl -Z; sha256sum -c; tar xzf",
            prepare,
            run: () =>
              timed(() =>
                shell(
                  `${curl(names)}; sha256sum -c --quiet ${archives}/SHA256SUMS; for f in *.tar.gz; do tar xzf $f; done`,
                  there,
                ),
              ),
          },
        ],
      },
      {
        name: "fetch one archive, 2 members",
        goal: 0.35,
        ours: {
          name: "kubeferry",
          prepare,
          run: () => ours("fetch", base, one, store, ".tar.gz", two.map((path) => path.slice(2)).join(",")),
        },
        theirs: [
          {
            name: "curl; sha256sum; tar xzf members",
            prepare,
            run: () =>
              timed(() =>
                shell(`${curl(["all.tar.gz"])}; sha256sum all.tar.gz; tar xzf all.tar.gz ${two.join(" ")}`, there),
              ),
          },
        ],
      },
      {
        name: "fetch .debs, their programs",
        goal: 0.35,
        ours: {
          name: "kubeferry",
          prepare,
          run: () => ours("fetch", `${base}/debs`, join(given.dir, "debs"), store, ".deb", "usr/bin/*"),
        },
        theirs: [
          {
            name: "curl -Z; sha256sum; dpkg-deb -x",
            prepare,
            run: () =>
              timed(() =>
                shell(
                  `${curl(filesBelow(join(given.dir, "debs")).map((name) => `debs/${name}`))}; sha256sum *.deb; for f in *.deb; do dpkg-deb -x $f .; done`,
                  there,
                ),
              ),
          },
        ],
      },
    );
  } finally {
    nginx.kill();
  }
}

/** Peak memory of the packaged programs with an artifact of more than 1 GB; no comparison, an upper limit. */
async function memory(given: Material): Promise<Row[]> {
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

interface Built {
  readonly path: string;
  readonly memory: number;
  readonly seconds: number;
}

/** A bundle of archives in the folder, by the packaged `kubeferry build`. */
async function build(
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
  return { path, ...(await measured(kubeferry, ["build", config, "-o", path, "--cache", cache])) };
}

/** The bundle of all programs, as often as it is asked for built once. */
async function bundleOf(given: Material): Promise<string> {
  const archives = filesBelow(join(given.dir, "archives")).map((name) => join(given.dir, "archives", name));
  return (await build(given, "bench", archives, `file:${given.dir}`, join(folder, "bundle-store"))).path;
}

function ours(...argv: string[]): Run {
  const result = spawnSync(process.execPath, [join(root, "scripts/bench/ours.ts"), ...argv], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Run;
}

function quietly(program: string, argv: readonly string[]): void {
  execFileSync(program, argv, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: "/usr/bin:/bin", HOME: homedir() },
  });
}

/** Runs a program to its end; the kernel keeps the peak of its memory, which is looked at until then. */
async function measured(program: string, argv: readonly string[]): Promise<{ memory: number; seconds: number }> {
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

function fresh(path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  if (readdirSync(path).length > 0) throw new Error(`${path} is not empty`);
}

/** nginx of the distribution on loopback, serving a folder; the caller ends it. */
async function serve(served: string): Promise<{ kill: () => void }> {
  const state = join(folder, "nginx");
  fresh(state);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${state};`);
  const config = `daemon off; pid ${state}/pid; error_log ${state}/error; worker_processes 1; events {}
    http { access_log off; sendfile on; ${temporary.join(" ")}
      server { listen 127.0.0.1:${port}; root ${served}; } }`;
  writeFileSync(join(state, "nginx.conf"), process.getuid?.() === 0 ? `user root; ${config}` : config);
  const child = spawn("nginx", ["-c", join(state, "nginx.conf"), "-e", join(state, "error")], { stdio: "inherit" });
  await sleep(1000);
  if (child.exitCode !== null) throw new Error("nginx did not start; apt-get install nginx-light");
  return { kill: () => child.kill() };
}
