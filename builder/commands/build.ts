/** `lock`, `fetch`, `render`, `build`: the stages of build.ts, each up to its own end. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { formatBytes } from "#kit/reporter";
import { reporterFor, type Surroundings } from "#kit/run";
import type { BuildOptions } from "../build.ts";

interface Flags {
  readonly release?: string;
  readonly output?: string;
  readonly mirror: string[];
  readonly cache?: string;
  readonly installers?: string;
  readonly offline?: boolean;
  readonly plaintextSecrets?: boolean;
  readonly update?: boolean;
  readonly trustFirstUse?: boolean;
  readonly json?: boolean;
}

export function addBuildCommands(program: Command, surroundings: Surroundings): void {
  const stage = (name: string, description: string): Command =>
    program
      .command(`${name} <cluster.yaml>`)
      .description(description)
      .option("--release <name>", "instead of the file's own: a name of `kubeferry releases`, or a manifest's path")
      .option("--mirror <url|dir>", "stands in for upstream; may be given again", collect, [])
      .option("--cache <dir>", "the store (default: ~/.cache/kubeferry)")
      .option("--offline", "only the store, and mirrors that are folders")
      .option("--json", "one JSON object a line on stdout, people's text on stderr");

  stage("lock", "Resolve a release to exact bytes: cluster.lock")
    .option("--update", "resolve again, and show what changes")
    .option("--trust-first-use", "pin what nobody published by downloading it once; the lock and the audit name it so")
    .action(async (config: string, flags: Flags) => {
      const { checkLock, diffLocks, readLock, writeLock } = await import("../lock/lock-file.ts");
      const { load, lockPath, newLock } = await import("../build.ts");
      const options = optionsOf(config, flags, surroundings);
      const loaded = await load(options);
      const path = lockPath(config);
      const present = await readLock(path);
      if (present !== null && flags.update !== true) {
        checkLock(present, loaded, path);
        return options.reporter.info(`${path} is there and fits, of ${present.locked}; --update resolves again`);
      }
      const lock = await newLock(options, loaded, flags.trustFirstUse);
      for (const line of present === null ? [] : diffLocks(present, lock)) options.reporter.info(line);
      await writeLock(path, lock);
      options.reporter.record("lock", { path, lock });
      options.reporter.info(`wrote ${path}: ${lock.artifacts.length} artifacts pinned`);
    });

  stage("fetch", "Download and verify what cluster.lock names, into the store").action(
    async (config: string, flags: Flags) => {
      const { fetch, load, lockOf } = await import("../build.ts");
      const options = optionsOf(config, flags, surroundings);
      const { fetched } = await fetch(options, await lockOf(options, await load(options)));
      options.reporter.record("fetched", { files: fetched });
      const size = fetched.reduce((sum, file) => sum + file.size, 0);
      options.reporter.info(`${fetched.length} files, ${formatBytes(size)}, verified in ${options.cache}`);
    },
  );

  stage("render", "Write every node's files into a folder, to read before they are packed; never a secret")
    .requiredOption("-o, --output <dir>", "a new folder")
    .action(async (config: string, flags: Flags) => {
      const { fetch, load, lockOf, renderNodes } = await import("../build.ts");
      const options = optionsOf(config, flags, surroundings);
      const loaded = await load(options);
      const { fetched } = await fetch(options, await lockOf(options, loaded));
      const rendered = await renderNodes(options, loaded, fetched);
      for (const file of rendered.files) {
        if (file.sensitive || typeof file.content !== "string") continue;
        const path = join(options.output, (file.for.nodes ?? file.for.roles).join("+"), file.path);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, file.content);
      }
      options.reporter.info(`wrote ${options.output}; programs and secrets are left out`);
    });

  stage("build", "Make one bundle: lock, fetch, pki, render, pack, verify")
    .option(
      "-o, --output <file>",
      "the bundle, or a folder for it (default: beside cluster.yaml, named by its content)",
    )
    .option("--plaintext-secrets", "do not encrypt the nodes' secrets: for labs, and the audit reports it")
    .option(
      "--installers <dir>",
      "where `npm run build` left install and install-linux-* (default: beside this program)",
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ kubeferry build cluster.yaml -o plant-7.tar --mirror https://mirror.example/upstream",
    )
    .action(async (config: string, flags: Flags) => {
      const { build } = await import("../build.ts");
      const options = optionsOf(config, flags, surroundings);
      const built = await build(options);
      const { reporter } = options;
      reporter.record("built", { ...built });
      reporter.info(`${built.path}  ${formatBytes(built.size)}  payload ${built.payloadDigest}`);
      if (built.keys === null) reporter.warn("the secrets in this bundle are not encrypted (--plaintext-secrets)");
      else reporter.info(`the nodes' keys are in ${built.keys}; let them travel another way than the bundle`);
    });
}

function optionsOf(config: string, flags: Flags, surroundings: Surroundings): BuildOptions {
  const { environment, workingDirectory } = surroundings;
  const path = (given: string): string => resolve(workingDirectory, given);
  const cacheHome = environment["XDG_CACHE_HOME"] ?? join(environment["HOME"] ?? "/root", ".cache");
  return {
    config,
    release: flags.release,
    output: flags.output === undefined ? `${dirname(path(config))}/` : flags.output,
    cache: flags.cache === undefined ? join(cacheHome, "kubeferry") : path(flags.cache),
    mirrors: flags.mirror,
    offline: flags.offline ?? false,
    plaintextSecrets: flags.plaintextSecrets ?? false,
    installers: flags.installers === undefined ? defaultInstallers() : path(flags.installers),
    now: new Date(),
    reporter: reporterFor(surroundings, flags),
    signal: surroundings.signal,
  };
}

/** The folder of the executable; run from source, the project's dist/. */
function defaultInstallers(): string {
  const program = process.execPath;
  return program.endsWith("/node") ? join(import.meta.dirname, "../../dist") : dirname(program);
}

function collect(value: string, all: string[]): string[] {
  return [...all, value];
}
