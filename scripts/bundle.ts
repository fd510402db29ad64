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
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runMain } from "#cli/main";
import { makeExecutable } from "../builder/pack/runtime/executable.ts";
import { compile, compileWorker, embeddedManifests } from "./compile.ts";
import { nodeBinary, type NodePlatform } from "./node-binary.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const stage = join(dist, ".stage");

/** Node's name of a platform → the name that Kubeferry's files carry. */
const platformNames: Record<NodePlatform, string> = { "linux-x64": "linux-amd64", "linux-arm64": "linux-arm64" };

runMain(main);

async function main(): Promise<number> {
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const worker = await compileWorker(stage);
  await compile("builder/main.ts", join(stage, "kubeferry.cjs"), { worker, plugins: [embeddedManifests()] });
  await compile("installer/main.ts", join(stage, "install.cjs"), { worker });
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
