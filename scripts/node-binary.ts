/**
 * The Node executables that the lockfile pins, for either platform, whatever machine this is. They become the installer that
 * root runs, and they come from a third party's package: so the digest of each is pinned here too, and looked at each time,
 * also where it lies in a cache. docs/threat-model.md says how to compare it with what nodejs.org published.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ByteReader } from "../builder/archive/byte-reader.ts";
import { decompress } from "../builder/archive/decompress.ts";
import { readTar } from "../builder/archive/tar.ts";

export type NodePlatform = "linux-x64" | "linux-arm64";

const root = join(import.meta.dirname, "..");

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

function locked(platform: NodePlatform): LockedPackage {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage | undefined>;
  };
  const found = lock.packages[`node_modules/node-${platform}`];
  if (found === undefined) throw new Error(`package-lock.json does not pin node-${platform}`);
  return found;
}

export function nodeVersion(): string {
  return locked("linux-x64").version;
}

/**
 * Path of that platform's `node`. The machine's own was installed by npm; any other is taken from the registry by
 * `npm pack`, compared with the lockfile's integrity where that has its version, and kept in the cache.
 */
export async function nodeBinary(platform: NodePlatform, version = nodeVersion()): Promise<string> {
  const installed = join(root, "node_modules", `node-${platform}`, "bin/node");
  const own = locked(platform);
  if (version === own.version && existsSync(installed)) return pinned(installed, platform, version);
  const cache = join(homedir(), ".cache/kubeferry/node", `${platform}-${version}`);
  const binary = join(cache, "bin/node");
  if (existsSync(binary)) return pinned(binary, platform, version);
  const partial = `${cache}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const name = `node-${platform}@${version}`;
  const [answer] = JSON.parse(
    execFileSync("npm", ["pack", name, "--json", "--pack-destination", partial], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ filename: string }];
  const tarball = join(partial, answer.filename);
  const found = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (version === own.version && found !== own.integrity)
    throw new Error(`${name} is not what package-lock.json pins\n wanted ${own.integrity}\n  found ${found}`);
  await takeNode(tarball, join(partial, "bin"));
  rmSync(tarball);
  rmSync(cache, { recursive: true, force: true });
  renameSync(partial, cache);
  return pinned(binary, platform, version);
}

/** Writes `package/bin/node` of an npm package as `node` into a new folder. */
async function takeNode(tarball: string, folder: string): Promise<void> {
  mkdirSync(folder);
  const reader = new ByteReader(decompress(createReadStream(tarball), "gzip"));
  for await (const entry of readTar(reader)) {
    if (entry.name === "package/bin/node") await writeFile(join(folder, "node"), entry.bytes(), { mode: 0o755 });
  }
}

/** The path itself, if its bytes are those that scripts/node-digests.json pins. */
export function pinned(path: string, platform: NodePlatform, version: string): string {
  const digests = JSON.parse(readFileSync(join(root, "scripts/node-digests.json"), "utf8")) as Partial<
    Record<string, Partial<Record<NodePlatform, string>>>
  >;
  const wanted = digests[version]?.[platform];
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (found === wanted) return path;
  throw new Error(
    `${path} is not the Node ${version} for ${platform} that scripts/node-digests.json pins\n wanted ${wanted ?? "a pinned digest"}\n  found ${found}\nif it lies in the cache: rm ${path}`,
  );
}
