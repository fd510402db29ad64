/**
 * `build --runtime`: a Node that the operator gives for the installer. What it is, its headers say first, so that nothing for
 * another machine is started; then it is asked itself; and what was made of it has to run.
 */
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Digest, digestOf, installerName, type Platform } from "#bundle";
import { type ErrorDetails, ExpectedError, messageOf } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import { formatBytes } from "#cli/quantities";
import { version } from "#cli/version";
import { type Elf, readElf } from "#formats/elf";
import { isSince } from "#formats/version";
import { readManifest } from "../../config/manifests.ts";
import { mergedUsr, parseBase } from "../closure/base.ts";
import { fuse, makeExecutable } from "./executable.ts";

export interface Runtime {
  readonly path: string;
  readonly platform: Platform;
  /** `22.15.0` */
  readonly version: string;
  /** The oldest glibc that it runs with; null: it is not linked with one. */
  readonly glibc: string | null;
  readonly digest: Digest;
}

/** The first with zstd, by which every blob is read. */
const oldest = "22.15.0";
const milliseconds = 60_000;
/** What the installer's code needs, asked of the Node itself. */
const question = `JSON.stringify({
  node: process.versions.node,
  zstd: typeof require("node:zlib").createZstdDecompress === "function",
  crypto: process.versions.openssl !== undefined,
})`;

/** Each for the platform that it is for. RUNTIME_INVALID; USAGE for two of one platform. */
export async function judgeRuntimes(
  paths: readonly string[],
  platforms: readonly Platform[],
  signal: AbortSignal,
): Promise<Runtime[]> {
  const runtimes: Runtime[] = [];
  for (const path of paths) {
    const found = await judge(path, platforms, signal);
    const other = runtimes.find(({ platform }) => platform === found.platform);
    if (other !== undefined)
      throw new ExpectedError("USAGE", `--runtime gives two for ${found.platform}`, {
        found: `${other.path}, ${path}`,
      });
    runtimes.push(found);
  }
  return runtimes;
}

async function judge(path: string, platforms: readonly Platform[], signal: AbortSignal): Promise<Runtime> {
  const refuse = (message: string, details: ErrorDetails): ExpectedError =>
    new ExpectedError("RUNTIME_INVALID", message, { where: path, ...details });
  const bytes = contentOf(path, refuse);
  const elf = readElf(path);
  if (elf === null || "damaged" in elf) {
    const expected = "the program `node`, an ELF file of 64 bits";
    const found = elf === null ? "no ELF file" : `an ELF file that cannot be read: ${elf.damaged}`;
    throw refuse("the runtime is no program", { expected, found, hint: "give bin/node of a Node for Linux" });
  }
  const platform = platformOf(elf, platforms, refuse);
  refuseLibraries(elf, platform, refuse);
  const place = bytes.indexOf(`${fuse}:`);
  if (place < 0 || bytes.toString("latin1", place, place + fuse.length + 2) !== `${fuse}:0`) {
    const found = place < 0 ? "a program without that place" : "an executable that carries an application already";
    const expected = "a Node that can carry an application (single-executable application)";
    throw refuse("the installer cannot be put into this program", { expected, found, hint: another });
  }
  const said = await answer(path, refuse, signal);
  if (!isSince(said.node, oldest)) {
    const details = { expected: `Node ${oldest} or newer`, found: `Node ${said.node}`, hint: another };
    throw refuse("the runtime is too old for the installer", details);
  }
  const lacks = [...(said.zstd ? [] : ["zstd in node:zlib"]), ...(said.crypto ? [] : ["node:crypto"])];
  if (lacks.length > 0) {
    const details = { expected: "zstd in node:zlib, and node:crypto", found: `Node ${said.node}`, hint: another };
    throw refuse(`the runtime lacks ${lacks.join(" and ")}`, details);
  }
  return { path, platform, version: said.node, glibc: elf.glibc, digest: digestOf(bytes) };
}

const another = `give bin/node of a Node ${oldest} or newer as its makers publish it`;
const host: Platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
type Refuse = (message: string, details: ErrorDetails) => ExpectedError;

/** Held in memory, here and while it is given its application: so no more than any Node has. */
const largest = 512_000_000;

function contentOf(path: string, refuse: Refuse): Buffer {
  let bytes: Buffer | null;
  try {
    const stat = statSync(path);
    bytes = stat.isFile() && stat.size <= largest ? readFileSync(path) : null;
  } catch (cause) {
    const hint = "--runtime wants the path of a file";
    throw refuse(`the runtime cannot be read: ${whyUnreadable(cause)}`, { hint, cause });
  }
  if (bytes !== null) return bytes;
  const expected = `a file of ${formatBytes(largest)} at most`;
  throw refuse("the runtime is no program", { expected, found: "none, or a larger one", hint: another });
}

function platformOf({ bits, machine }: Elf, platforms: readonly Platform[], refuse: Refuse): Platform {
  const platform = platforms.find((one) => bits === 64 && one === `linux/${machine}`);
  if (platform === undefined) {
    const found = `linux/${machine}, ${bits} bits`;
    const hint = "platforms: in cluster.yaml says which the nodes are";
    throw refuse("the runtime is for another machine", { expected: platforms.join(" or "), found, hint });
  }
  if (platform === host) return platform;
  const details = { expected: host, found: platform, hint: "build on a machine of that platform" };
  throw refuse("the runtime cannot be tried on this machine", details);
}

/** What it is linked with must be on every host, as for any program of a bundle; a C++ library is what Node itself wants. */
function refuseLibraries({ interpreter, needed }: Elf, platform: Platform, refuse: Refuse): void {
  const base = parseBase(readManifest("bases/host.txt") ?? "", platform);
  if (interpreter !== null && !base.interpreters.has(mergedUsr(interpreter))) {
    const details = { expected: "a Node for glibc", found: `one that ${interpreter} loads`, hint: another };
    throw refuse("the runtime is for another C library", details);
  }
  const missing = needed.filter((name) => !base.libraries.has(name) && !/^lib(stdc\+\+|atomic)\.so\.\d+$/.test(name));
  if (missing.length === 0) return;
  const details = { expected: "a Node that brings its libraries in itself", found: missing.join(", "), hint: another };
  throw refuse("the runtime is linked with libraries that not every host has", details);
}

interface Answer {
  readonly node: string;
  readonly zstd: boolean;
  readonly crypto: boolean;
}

async function answer(path: string, refuse: Refuse, signal: AbortSignal): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(path, ["-p", question], { env: {}, timeout: milliseconds, signal });
    return JSON.parse(stdout) as Answer;
  } catch (cause) {
    signal.throwIfAborted();
    throw refuse("the runtime does not run as a Node", { found: lastLine(messageOf(cause)), hint: another, cause });
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(-500) ?? "";
}

/**
 * The installer of each runtime as an executable below `scratch`, for as long as `work` takes: it is tried, and then packed.
 * RUNTIME_INVALID where it does not run, TOOL_MISSING where the installer's code is not built.
 */
export async function withInstallers<Value>(
  runtimes: readonly Runtime[],
  { main, scratch, signal }: { readonly main: string; readonly scratch: string; readonly signal: AbortSignal },
  work: (executables: Readonly<Partial<Record<Platform, string>>>) => Promise<Value>,
): Promise<Value> {
  if (runtimes.length === 0) return work({});
  const folder = await mkdtemp(join(scratch, "installer-"));
  try {
    const executables: Partial<Record<Platform, string>> = {};
    for (const { path, platform } of runtimes) {
      const output = join(folder, installerName(platform));
      await makeExecutable({ runtime: path, main, output, signal });
      await tryOut(output, path, signal);
      executables[platform] = output;
    }
    return await work(executables);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryOut(installer: string, where: string, signal: AbortSignal): Promise<void> {
  const found = await promisify(execFile)(installer, ["--version"], { env: {}, timeout: milliseconds, signal }).then(
    ({ stdout }) => stdout.trim(),
    (cause: unknown) => lastLine(messageOf(cause)),
  );
  signal.throwIfAborted();
  if (found === version()) return;
  const details = { where, expected: `install --version prints ${version()}`, found, hint: another };
  throw new ExpectedError("RUNTIME_INVALID", "the installer does not run by this runtime", details);
}
