/** The Node executables that the lockfile pins, for either platform, whatever machine this is. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { extract } from "tar";

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
 * Path of that platform's `node`. The machine's own was installed by npm; the other one is taken from the
 * registry by `npm pack`, compared with the lockfile's integrity, and kept in the cache.
 */
export async function nodeBinary(platform: NodePlatform): Promise<string> {
  const installed = join(root, "node_modules", `node-${platform}`, "bin/node");
  if (existsSync(installed)) return installed;
  const { version, integrity } = locked(platform);
  const cache = join(homedir(), ".cache/kubeferry/node", `${platform}-${version}`);
  const binary = join(cache, "bin/node");
  if (existsSync(binary)) return binary;
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
  if (found !== integrity)
    throw new Error(`${name} is not what package-lock.json pins\n wanted ${integrity}\n  found ${found}`);
  await extract({ file: tarball, cwd: partial, strip: 1, filter: (path) => path === "package/bin/node" });
  rmSync(tarball);
  rmSync(cache, { recursive: true, force: true });
  renameSync(partial, cache);
  return binary;
}
