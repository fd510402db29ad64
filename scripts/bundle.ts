/**
 * `npm run build`: one executable per platform from the TypeScript sources.
 *
 *     builder/main.ts    → dist/kubeferry                  (the machine's own platform)
 *     installer/main.ts  → dist/install-linux-{amd64,arm64}
 *                        → dist/install.cjs                (its code, for `kubeferry build --runtime`)
 *     installer/install  → dist/install                    (the launcher, copied)
 *     docs/man           → dist/man                        (as man looks for pages: man -M dist/man kubeferry)
 *
 * esbuild makes one CommonJS file of each program; builder/pack/runtime joins it with the Node that package-lock.json pins, as
 * it does with one that an operator gives.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { runMain } from "#cli/main";
import { listManifests, listTemplates, readSource } from "../builder/config/manifests.ts";
import { makeExecutable } from "../builder/pack/runtime/executable.ts";
import { nodeBinary, type NodePlatform } from "./node-binary.ts";

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
  const generator = await nodeBinary(own);
  const pack = async (code: string, platform: NodePlatform, name: string, codeCache = false): Promise<void> => {
    const [main, output, runtime] = [join(stage, code), join(stage, name), await nodeBinary(platform)];
    await makeExecutable({ runtime, generator, main, output, codeCache });
    renameSync(output, join(dist, name));
  };
  for (const platform of ["linux-x64", "linux-arm64"] as const)
    await pack("install.cjs", platform, `install-${platformNames[platform]}`);
  // V8's code cache halves the start, but is of one platform and not the same at each build. What goes into bundles
  // must be the same wherever it is built, so the installers have none.
  await pack("kubeferry.cjs", own, "kubeferry", true);
  renameSync(join(stage, "install.cjs"), join(dist, "install.cjs"));
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

/** Replaces builder/config/manifests.ts by a module that holds every file of `manifests/`, and components' templates. */
function embeddedManifests(): Plugin {
  return {
    name: "embedded-manifests",
    setup(build) {
      build.onLoad({ filter: /builder\/config\/manifests\.ts$/ }, () => {
        const paths = [...listManifests(".").map((path) => `manifests/${path}`), ...listTemplates()];
        const files = Object.fromEntries(paths.map((path) => [path, readSource(path)]));
        const contents = `const files = ${JSON.stringify(files)};
          export const readSource = (path) => files[path];
          export const readManifest = (path) => files["manifests/" + path];
          export const listManifests = (below) => Object.keys(files).filter((path) => path.startsWith("manifests/"))
            .map((path) => path.slice(10)).filter((path) => below === "." || path.startsWith(below + "/"));`;
        return { contents, loader: "js" };
      });
    },
  };
}
