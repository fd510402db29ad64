/** TypeScript sources into one CommonJS file a program, by esbuild. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { listManifests, listTemplates, readSource } from "../builder/config/manifests.ts";

const root = join(import.meta.dirname, "..");
const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;

export interface CompileOptions {
  /** The text of {@link compileWorker}, for a program that has threads. */
  readonly worker?: string;
  readonly plugins?: Plugin[];
}

/** A worker thread has no file to start from inside an executable: each program carries the text of it. */
export async function compileWorker(stage: string): Promise<string> {
  const output = join(stage, "worker.cjs");
  await compile("installer/bundle/workers/worker.ts", output);
  return readFileSync(output, "utf8");
}

/** One CommonJS file; native parts of optional dependencies, and what a library would use if it were there, are left out. */
export async function compile(
  entry: string,
  output: string,
  { worker = "", plugins = [] }: CompileOptions = {},
): Promise<void> {
  await build({
    entryPoints: [join(root, entry)],
    outfile: output,
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
export function embeddedManifests(): Plugin {
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
