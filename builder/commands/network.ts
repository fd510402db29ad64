/** The options of every command that may use the network: mirrors, registries, proxies, CAs, credentials. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#cli/errors";
import { collect } from "#cli/options";
import type { Surroundings } from "#cli/run";
import type { HttpSettings } from "../http/client.ts";
import { httpSettingsFrom } from "../http/settings.ts";
import type { PlaceOptions } from "../sources/places.ts";

export interface NetworkFlags {
  readonly mirror?: string[];
  readonly registry?: string[];
  readonly cache?: string;
  readonly offline?: boolean;
  readonly ca?: string;
}

export interface Network extends PlaceOptions {
  readonly registries: Readonly<Record<string, readonly string[]>>;
  readonly cache: string;
  readonly http: HttpSettings;
}

export function addNetworkOptions(command: Command): Command {
  return command
    .option("--mirror <url|dir>", "stands in for upstream, digests stay the lock's; repeatable", collect)
    .option("--registry <domain=url>", "asked instead of a container registry; repeatable", collect)
    .option("--cache <dir>", "the store (default: ~/.cache/kubeferry)")
    .option("--offline", "only the store, and mirrors that are folders")
    .option("--ca <file>", "PEM certificates to trust besides the usual ones");
}

/** Settings from flags and the environment (proxies, SSL_CERT_FILE, NETRC, HOME). */
export async function networkOf(
  flags: NetworkFlags,
  { environment, workingDirectory }: Surroundings,
): Promise<Network> {
  const path = (given: string): string => resolve(workingDirectory, given);
  const ca = flags.ca === undefined ? undefined : path(flags.ca);
  return {
    mirrors: (flags.mirror ?? []).map((mirror) =>
      /^https?:\/\//.test(mirror) ? mirror : folderAt(path(mirror), mirror),
    ),
    registries: registriesOf(flags.registry ?? []),
    cache: flags.cache === undefined ? storeFolder(environment) : path(flags.cache),
    offline: flags.offline ?? false,
    http: await httpSettingsFrom(environment, { ca }),
  };
}

/** `~/.cache/kubeferry`, or below XDG_CACHE_HOME. */
export function storeFolder(environment: Surroundings["environment"]): string {
  return join(environment["XDG_CACHE_HOME"] ?? join(environment["HOME"] ?? "/root", ".cache"), "kubeferry");
}

/** USAGE where it is none: a mirror that is not there would only seem to be asked. */
function folderAt(path: string, given: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new ExpectedError("USAGE", "this mirror is neither a folder nor an address of http or https", {
    where: `--mirror ${given}`,
    hint: "--mirror https://mirror.example/upstream, or --mirror DIR",
  });
}

function registriesOf(given: readonly string[]): Record<string, string[]> {
  const registries: Record<string, string[]> = {};
  for (const one of given) {
    const at = one.indexOf("=");
    const url = one.slice(at + 1);
    if (at < 1 || !/^https?:/.test(url) || !URL.canParse(url)) {
      throw new ExpectedError("USAGE", `cannot read --registry ${one}`, {
        hint: "--registry registry.k8s.io=https://mirror.example",
      });
    }
    (registries[one.slice(0, at)] ??= []).push(url);
  }
  return registries;
}
