/**
 * `npm run build`: one executable per platform from the TypeScript sources.
 *
 *     builder/main.ts    → dist/kubeferry                  (the machine's own platform)
 *     installer/main.ts  → dist/install-linux-{amd64,arm64}
 *     installer/install  → dist/install                    (the launcher, copied)
 *     docs/man           → dist/man                        (as man looks for pages: man -M dist/man kubeferry)
 *
 * esbuild makes one CommonJS file of each program; @yao-pkg/pkg joins it with the registry's Node as a
 * single-executable application. pkg would download its Node; instead its cache is seeded with the Node that
 * package-lock.json pins, so that no host but the npm registry is asked.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { runMain } from "#cli/main";
import { listManifests, readManifest } from "../builder/config/manifests.ts";
import { nodeBinary, nodeVersion, type NodePlatform } from "./node-binary.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const stage = join(dist, ".stage");
const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;

/** Node's name of a platform → the name that Kubeferry's files carry. */
const platformNames: Record<NodePlatform, string> = { "linux-x64": "linux-amd64", "linux-arm64": "linux-arm64" };

runMain(main);

async function main(): Promise<number> {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  // A worker thread has no file to start from inside an executable: each program carries the text of it.
  await compile("installer/bundle/workers/worker.ts", "worker.cjs", []);
  const worker = readFileSync(join(stage, "worker.cjs"), "utf8");
  await compile("builder/main.ts", "kubeferry.cjs", [embeddedManifests()], worker);
  await compile("installer/main.ts", "install.cjs", [], worker);
  const own: NodePlatform = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  for (const platform of ["linux-x64", "linux-arm64"] as const) {
    await seedPkgCache(platform);
    pack("install.cjs", platform, `install-${platformNames[platform]}`);
  }
  // V8's code cache halves the start, but is of one platform and not the same at each build. What goes into bundles
  // must be the same wherever it is built, so the installers have none.
  pack("kubeferry.cjs", own, "kubeferry", true);
  copyFileSync(join(root, "installer/install"), join(dist, "install"));
  for (const page of readdirSync(join(root, "docs/man"))) {
    const section = join(dist, "man", `man${page.at(-1)}`);
    mkdirSync(section, { recursive: true });
    copyFileSync(join(root, "docs/man", page), join(section, page));
  }
  rmSync(stage, { recursive: true, force: true });
  return 0;
}

/** One CommonJS file; native parts of optional dependencies, and what a library would use if it were there, are left out. */
async function compile(entry: string, output: string, plugins: Plugin[], worker = ""): Promise<void> {
  await build({
    entryPoints: [join(root, entry)],
    outfile: join(stage, output),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    external: ["cpu-features", "xmlbuilder2"],
    loader: { ".node": "empty" },
    define: {
      "import.meta.dirname": "__dirname",
      // openpgp asks for Node's own modules by it, which are the same from anywhere.
      "import.meta.url": '"file:///"',
      KUBEFERRY_VERSION: JSON.stringify(version),
      KUBEFERRY_WORKER: JSON.stringify(worker),
    },
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
    plugins,
  });
}

/** Replaces builder/config/manifests.ts by a module that holds every file of `manifests/`. */
function embeddedManifests(): Plugin {
  return {
    name: "embedded-manifests",
    setup(build) {
      build.onLoad({ filter: /builder\/config\/manifests\.ts$/ }, () => {
        const files = Object.fromEntries(listManifests(".").map((path) => [path, readManifest(path)]));
        const contents = `const files = ${JSON.stringify(files)};
          export const readManifest = (path) => files[path];
          export const listManifests = (below) => Object.keys(files).filter((path) => below === "." || path.startsWith(below + "/"));`;
        return { contents, loader: "js" };
      });
    },
  };
}

/** The layout of pkg's cache is not a documented interface: pkg is pinned exactly, and test/integration/00-executables.test.ts tries it. */
async function seedPkgCache(platform: NodePlatform): Promise<void> {
  const cache = join(stage, "home/.pkg-cache/sea");
  const name = `node-v${nodeVersion()}-${platform}`;
  mkdirSync(join(cache, name, "bin"), { recursive: true });
  cpSync(await nodeBinary(platform), join(cache, name, "bin/node"));
  for (const mark of [`${name}/bin/node.ok`, `${name}.tar.gz`, `${name}.tar.gz.ok`])
    writeFileSync(join(cache, mark), "");
}

/** By the function behind pkg's command line, which itself cannot be told of the code cache. */
function pack(input: string, platform: NodePlatform, output: string, useCodeCache = false): void {
  const partial = join(stage, output);
  const arch = platform.slice("linux-".length);
  const targets = [{ platform: "linux", arch, nodeRange: `node${nodeVersion()}`, output: partial }];
  const seaConfig = { disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache };
  const sea = join(root, "node_modules/@yao-pkg/pkg/lib-es5/sea.js");
  const call = `require(${JSON.stringify(sea)}).default(...JSON.parse(process.argv[1]))`;
  execFileSync(process.execPath, ["-e", call, JSON.stringify([join(stage, input), { targets, seaConfig }])], {
    env: { PATH: process.env["PATH"], HOME: join(stage, "home") },
    stdio: ["ignore", "ignore", "inherit"],
    cwd: stage,
  });
  if (!existsSync(partial)) throw new Error(`pkg made no ${output}`);
  renameSync(partial, join(dist, output));
}
