/** The package sources of this machine as it is set up: nothing about them is written down in the project. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";

/** Files with apt's sources, for mmdebstrap, which copies them. */
export async function aptSources(): Promise<string[]> {
  const folder = "/etc/apt/sources.list.d";
  const parts = existsSync(folder) ? await readdir(folder) : [];
  const paths = [
    "/etc/apt/sources.list",
    ...parts.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(folder, name)),
  ];
  const found: string[] = [];
  for (const path of paths) {
    if (existsSync(path) && /^\s*(deb\s|URIs:)/m.test(await readFile(path, "utf8"))) found.push(path);
  }
  if (found.length === 0) throw new Error("this machine has no apt sources, so that no guest can be made here");
  return found;
}

/** The machine's own settings for getting packages: proxies, certificates, checks, credentials. */
export async function aptOptions(): Promise<string[]> {
  const settings = await command(["apt-config", "dump"]);
  return [
    ...settings.split("\n").filter((line) => /^Acquire::(http|https|ftp|Check|Retries|ForceIPv)\S* ".+";$/.test(line)),
    'Dir::Etc::netrc "/etc/apt/auth.conf";',
    'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
    'Acquire::Languages "none";',
  ];
}

/** `bookworm` and the like. */
export async function distributionCodename(): Promise<string> {
  const name = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1];
  if (name === undefined) throw new Error("/etc/os-release names no VERSION_CODENAME: a Debian or Ubuntu is needed");
  return name.replaceAll('"', "");
}
