/** apt's state for one distribution, from this machine's own sources or the repositories that cluster.yaml names. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { parseOsRelease } from "#formats/os-release";
import { openPrivateApt, type PrivateApt } from "./private-apt.ts";
import type { PackageRequest } from "../../config/cluster.ts";

export interface AptState extends PrivateApt {
  /** ID and VERSION_ID: `debian 12`. */
  readonly distribution: string;
}

/** Makes (or takes up) the state for one distribution and platform, and refreshes its signed indexes. */
export async function openAptState(request: PackageRequest, platform: Platform, state: string): Promise<AptState> {
  const { distribution, repositories = [] } = request;
  const architecture = platform.slice("linux/".length);
  const folder = resolve(state, `apt-${distribution.replaceAll(/[^\w.-]+/g, "-")}-${architecture}`);
  if (repositories.length === 0) await requireSameDistribution(distribution);
  const sources = repositories.length === 0 ? undefined : repositories.map(sourceStanza).join("\n");
  const apt = await openPrivateApt({ folder, architecture, sources, about: `packages of ${distribution}` });
  await apt.setInstalled("");
  await apt.update();
  return { ...apt, distribution };
}

function sourceStanza(repository: NonNullable<PackageRequest["repositories"]>[number]): string {
  const { url, suite, components, key } = repository;
  if (key === undefined || suite === undefined) {
    throw new ExpectedError("CONFIG_INVALID", "an apt repository wants its suite and the key that signs it", {
      where: url,
      hint: "repositories: [{ url: …, suite: bookworm, components: [main], key: /usr/share/keyrings/….gpg }]",
    });
  }
  const values = [url, suite, ...(components ?? ["main"]), key];
  const odd = values.find((value) => /[\s"]/.test(value) || value === "");
  if (odd !== undefined)
    throw new ExpectedError("CONFIG_INVALID", `"${odd}" cannot stand in an apt source`, { where: url });
  const fields = [
    "Types: deb",
    `URIs: ${url}`,
    `Suites: ${suite}`,
    `Components: ${(components ?? ["main"]).join(" ")}`,
    `Signed-By: ${resolve(key)}`,
  ];
  return `${fields.join("\n")}\n`;
}

async function requireSameDistribution(expected: string): Promise<void> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const { id, version } = parseOsRelease(text);
  const found = `${id} ${version}`.trim();
  if (found === expected) return;
  throw new ExpectedError("PACKAGE_UNAVAILABLE", "this machine's package sources are those of another distribution", {
    where: "packages: in cluster.yaml",
    expected,
    found: found === "" ? "no os-release" : found,
    hint: `name the repositories of ${expected} as repositories: beside names:, or build on a ${expected} machine`,
  });
}
