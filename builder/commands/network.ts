/** The options of every command that may use the network: mirrors, registries, proxies, CAs, credentials. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#kit/errors";
import type { Surroundings } from "#kit/run";
import type { HttpSettings } from "../fetch/http-client.ts";
import { parseNetrc } from "../fetch/netrc.ts";

export interface NetworkFlags {
  readonly mirror: string[];
  readonly registry: string[];
  readonly cache?: string;
  readonly offline?: boolean;
  readonly ca?: string[];
  readonly netrc?: string;
}

export interface Network {
  readonly mirrors: readonly string[];
  readonly registries: Readonly<Record<string, readonly string[]>>;
  readonly cache: string;
  readonly offline: boolean;
  readonly http: HttpSettings;
}

export function addNetworkOptions(command: Command): Command {
  return command
    .option("--mirror <url|dir>", "stands in for upstream, digests stay the lock's; may be given again", collect, [])
    .option("--registry <domain=url>", "asked instead of a container registry; may be given again", collect, [])
    .option("--cache <dir>", "the store (default: ~/.cache/kubeferry)")
    .option("--offline", "only the store, and mirrors that are folders")
    .option("--ca <file>", "PEM certificates to trust besides the usual ones; may be given again", collect)
    .option("--netrc <file>", "credentials of private mirrors (default: ~/.netrc)");
}

/** Settings from flags, and HTTP_PROXY, HTTPS_PROXY, NO_PROXY, HOME of the environment. */
export async function networkOf(
  flags: NetworkFlags,
  { environment, workingDirectory }: Surroundings,
): Promise<Network> {
  const path = (given: string): string => resolve(workingDirectory, given);
  const variable = (name: string): string | undefined => environment[name] ?? environment[name.toLowerCase()];
  const home = environment["HOME"] ?? "/root";
  const netrc =
    flags.netrc === undefined ? await readIfThere(join(home, ".netrc")) : await readNeeded(path(flags.netrc));
  return {
    mirrors: flags.mirror.map((mirror) => (/^https?:\/\//.test(mirror) ? mirror : path(mirror))),
    registries: registriesOf(flags.registry),
    cache: flags.cache === undefined ? storeFolder(environment) : path(flags.cache),
    offline: flags.offline ?? false,
    http: {
      httpProxy: variable("HTTP_PROXY"),
      httpsProxy: variable("HTTPS_PROXY"),
      noProxy: variable("NO_PROXY"),
      extraCa: await Promise.all((flags.ca ?? []).map((file) => readNeeded(path(file)))),
      netrc: parseNetrc(netrc),
    },
  };
}

/** `~/.cache/kubeferry`, or below XDG_CACHE_HOME. */
export function storeFolder(environment: Surroundings["environment"]): string {
  return join(environment["XDG_CACHE_HOME"] ?? join(environment["HOME"] ?? "/root", ".cache"), "kubeferry");
}

function registriesOf(given: readonly string[]): Record<string, string[]> {
  const registries: Record<string, string[]> = {};
  for (const one of given) {
    const at = one.indexOf("=");
    if (at < 1 || !/^https?:\/\//.test(one.slice(at + 1))) {
      throw new ExpectedError("USAGE", `cannot read --registry ${one}`, {
        hint: "--registry registry.k8s.io=https://mirror.example",
      });
    }
    (registries[one.slice(0, at)] ??= []).push(one.slice(at + 1));
  }
  return registries;
}

async function readNeeded(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ExpectedError("USAGE", "that file cannot be read", { where: path, cause, hint: `ls -l ${path}` });
  }
}

async function readIfThere(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

export function collect(value: string, all: string[] = []): string[] {
  return [...all, value];
}
