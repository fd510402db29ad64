/** `lock`, `fetch`, `render`, `build`: the stages of build.ts, each up to its own end. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { ExpectedError } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { example } from "#cli/help";
import { withJson } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";
import type { BuildOptions } from "../build.ts";
import type { NodeFile } from "../render/node-file.ts";
import { listFormats, lock, type LockFlags } from "./lock.ts";
import { addNetworkOptions, type NetworkFlags, networkOf } from "./network.ts";
import { addPackOptions, type PackFlags, packingOf } from "./pack-options.ts";

interface Flags extends NetworkFlags, PackFlags, LockFlags {
  readonly release?: string;
  readonly output?: string;
  readonly base?: string;
  readonly force?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const listHelp = `
Fetched by hand, on another machine:
  $ kubeferry lock --list --format aria2 cluster.yaml > files.txt && kubeferry lock --list --format skopeo cluster.yaml > images.txt
  $ aria2c -d DIR -i files.txt && cd DIR && xargs -L 1 skopeo < ../images.txt
  $ kubeferry lock --from DIR cluster.yaml && kubeferry build --offline cluster.yaml`;

export function addBuildCommands(program: Command, surroundings: Surroundings): void {
  const stage = (name: string, description: string): Command =>
    withJson(addNetworkOptions(program.command(`${name} <cluster.yaml>`)))
      .description(description)
      .option("--release <name>", "instead of the file's own: a name of `kubeferry releases`, or a manifest's path")
      .option("--strict", "refuse what is only a warning about cluster.yaml");

  stage("lock", "Resolve a release to exact bytes: cluster.lock")
    .option("--update", "resolve again, and show what changes")
    .option("--trust-first-use", "pin what nobody published by downloading it once; the lock and the audit name it so")
    .option("--list", "only print every URL, image and package with size and digest; asks no network")
    .addOption(
      new Option("--format <format>", "of --list: text, input of aria2, or arguments of skopeo")
        .choices(listFormats)
        .default("text"),
    )
    .option(
      "--from <dir>",
      "take everything from this folder, into the store as well: what --list named, fetched by hand",
    )
    .addHelpText("after", example("kubeferry lock cluster.yaml"))
    .addHelpText("after", listHelp)
    .action(async (config: string, flags: Flags) => {
      const { workingDirectory } = surroundings;
      const from = flags.from === undefined ? {} : { from: resolve(workingDirectory, flags.from) };
      await lock(await optionsOf(config, flags, surroundings), { ...flags, ...from });
    });

  stage("fetch", "Download and verify what cluster.lock names, into the store")
    .addHelpText("after", example("kubeferry fetch cluster.yaml"))
    .action(async (config: string, flags: Flags) => {
      const { fetch, load, lockOf } = await import("../build.ts");
      const options = await optionsOf(config, flags, surroundings);
      const loaded = await load(options);
      const { files } = await fetch(options, loaded, await lockOf(options, loaded));
      options.reporter.record("fetched", { files });
      const size = files.reduce((sum, file) => sum + file.size, 0);
      options.reporter.info(`${files.length} files, ${formatBytes(size)}, verified in ${options.cache}`);
    });

  stage("render", "Write every node's files into a folder, to read before they are packed; never a secret")
    .addHelpText("after", example("kubeferry render cluster.yaml -o rendered"))
    .requiredOption("-o, --output <dir>", "a folder")
    .action(async (config: string, flags: Flags) => {
      const { fetch, load, lockOf, renderNodes } = await import("../build.ts");
      const { makeFolder } = await import("../pack/output.ts");
      const options = await optionsOf(config, flags, surroundings);
      const loaded = await load(options);
      await refuseNoFolder(options.output);
      const { files } = await fetch(options, loaded, await lockOf(options, loaded));
      const rendered = await renderNodes(options, loaded, files, false);
      await makeFolder(options.output);
      for (const file of rendered.files) await writeRendered(file, options.output);
      options.reporter.record("rendered", { output: options.output, files: rendered.files.length });
      options.reporter.info(`wrote ${options.output}; programs, certificates and secrets are left out`);
    });

  addPackOptions(stage("build", "Make one bundle: lock, fetch, pki, render, pack, verify"))
    .option(
      "-o, --output <file>",
      "the bundle, or a folder for it (default: beside cluster.yaml, named by its content)",
    )
    .option("--force", "overwrite the file of -o, or a signed bundle of the same content")
    .option("--base <old.tar>", "also write what is new since that bundle, as FILE.delta")
    .addHelpText(
      "after",
      example("kubeferry build cluster.yaml -o plant-7.tar --mirror https://mirror.example/upstream"),
    )
    .action(async (config: string, flags: Flags) => {
      const { build } = await import("../build.ts");
      const options = await optionsOf(config, flags, surroundings);
      // Nobody waits for a build whose delta is against nothing.
      if (flags.base !== undefined) {
        const { openBundle } = await import("#bundle");
        await openBundle(resolve(surroundings.workingDirectory, flags.base));
      }
      const built = await build(options);
      const { reporter } = options;
      reporter.record("built", { ...built });
      reporter.info(`${built.path}  ${formatBytes(built.size)}  payload ${built.payloadDigest}`);
      if (flags.base !== undefined)
        await delta(built.path, resolve(surroundings.workingDirectory, flags.base), options);
      if (built.keys === null) reporter.warn("the secrets in this bundle are not encrypted (--plaintext-secrets)");
      else
        reporter.info(
          `the nodes' keys are in ${built.keys}/, one file a node; transfer each separately, to its own node`,
        );
    });
}

/** USAGE where it is there and no folder: before anything is fetched. */
async function refuseNoFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.isDirectory()) return;
  throw new ExpectedError("USAGE", "this is no folder", { where: path, hint: "choose another -o" });
}

/**
 * Below a folder for the nodes it is for: `n1+n2/etc/…`, or a role's name where it is for any. Certificates are left out,
 * also inside of files: before the first build there are none.
 */
async function writeRendered(file: NodeFile, folder: string): Promise<void> {
  const { content } = file;
  const text = typeof content === "string" ? content.replaceAll(certificate, "[certificate]") : content.bytes;
  if (file.sensitive || file.origin.from === "pki" || text === undefined) return;
  const path = join(folder, (file.for.nodes ?? file.for.roles).join("+"), file.path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

async function delta(bundle: string, base: string, { reporter }: BuildOptions): Promise<void> {
  const { writeDelta } = await import("../pack/delta.ts");
  const output = `${bundle}.delta`;
  const { size } = await writeDelta(bundle, base, output);
  reporter.info(
    `${output}  ${formatBytes(size)}  what is new since ${basename(base)}; inside: kubeferry join ${basename(output)} --base ${basename(base)}`,
  );
}

async function optionsOf(config: string, flags: Flags, surroundings: Surroundings): Promise<BuildOptions> {
  return {
    ...(await networkOf(flags, surroundings)),
    config,
    release: flags.release,
    strict: flags.strict ?? false,
    // A path that ends in a slash is a folder: the bundle is then named by its content.
    output: flags.output ?? `${dirname(config)}/`,
    force: flags.force ?? false,
    ...(await packingOf(flags, surroundings)),
    now: new Date(),
    reporter: reporterFor(surroundings, flags),
    signal: surroundings.signal,
  };
}
