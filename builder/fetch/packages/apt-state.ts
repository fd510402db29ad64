/**
 * The machine's own apt with state of its own: its sources and keys (or the repositories that cluster.yaml names), its
 * check of signatures, and nothing written outside one folder. The host's own package database is never looked at.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Platform } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { PackageRequest } from "./request.ts";

const run = promisify(execFile);
const timeout = 10 * 60 * 1000;
const largestOutput = 256 * 1024 * 1024;

export interface AptState {
  readonly folder: string;
  readonly distribution: string;
  /** Debian's name: `amd64`. */
  readonly architecture: string;
  /** Runs apt-get or apt-cache on this state; stdout. PACKAGE_UNAVAILABLE with apt's own words when it fails. */
  apt(program: "apt-get" | "apt-cache", argv: readonly string[], cwd?: string): Promise<string>;
  /** Replaces what apt believes to be installed: text in the form of dpkg's status file. */
  setInstalled(status: string): Promise<void>;
}

/** Makes (or takes up) the state for one distribution and platform, and refreshes its signed indexes. */
export async function openAptState(request: PackageRequest, platform: Platform, state: string): Promise<AptState> {
  const architecture = platform.slice("linux/".length);
  const folder = resolve(state, `apt-${request.distribution.replaceAll(/[^\w.-]+/g, "-")}-${architecture}`);
  for (const path of ["state/lists/partial", "cache/archives/partial", "sources.d"]) {
    await mkdir(join(folder, path), { recursive: true });
  }
  const repositories = request.repositories ?? [];
  if (repositories.length === 0) await requireSameDistribution(request.distribution);
  else await writeFile(join(folder, "sources.d/kubeferry.sources"), repositories.map(sourceStanza).join("\n"));
  const config = join(folder, "apt.conf");
  await writeFile(config, configText(folder, architecture, repositories.length > 0));

  const apt: AptState["apt"] = async (program, argv, cwd) => {
    const words = [
      "LC_ALL=C",
      "DEBIAN_FRONTEND=noninteractive",
      `APT_CONFIG=${config}`,
      program,
      "-c",
      config,
      ...argv,
    ];
    try {
      const { stdout } = await run("env", words, { timeout, maxBuffer: largestOutput, cwd: cwd ?? folder });
      return stdout;
    } catch (cause) {
      throw aptError(cause, request.distribution, program, argv);
    }
  };
  const setInstalled = (status: string): Promise<void> => writeFile(join(folder, "status"), status);
  await setInstalled("");
  // apt-get update calls a repository it cannot reach a warning and goes on with old lists; here that is an error.
  await apt("apt-get", ["update", "-q", "-o", "APT::Update::Error-Mode=any"]);
  return { folder, distribution: request.distribution, architecture, apt, setInstalled };
}

function configText(folder: string, architecture: string, ownSources: boolean): string {
  const lines = [
    "#clear APT::Architectures;",
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    'APT::Get::AllowUnauthenticated "false";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
    "#clear DPkg::Post-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
  ];
  if (ownSources) lines.push('Dir::Etc::sourcelist "/dev/null";', `Dir::Etc::sourceparts "${folder}/sources.d";`);
  return `${lines.join("\n")}\n`;
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

async function requireSameDistribution(wanted: string): Promise<void> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, "m").exec(text)?.[1] ?? "";
  const found = `${field("ID")} ${field("VERSION_ID")}`.trim();
  if (found === wanted) return;
  throw new ExpectedError("PACKAGE_UNAVAILABLE", "this machine's package sources are those of another distribution", {
    where: "packages: in cluster.yaml",
    wanted,
    found: found === "" ? "no os-release" : found,
    hint: `name the repositories of ${wanted} as repositories: beside names:, or build on a ${wanted} machine`,
  });
}

function aptError(cause: unknown, distribution: string, program: string, argv: readonly string[]): ExpectedError {
  const { code, stderr, stdout } = cause as { code?: unknown; stderr?: unknown; stdout?: unknown };
  if (code === "ENOENT" || code === 127) {
    const hint = "run the build on Debian or Ubuntu, or take packages: out of cluster.yaml";
    return new ExpectedError("TOOL_MISSING", "packages are resolved by apt, which this machine does not have", {
      hint,
      cause,
    });
  }
  const words = typeof stderr === "string" ? stderr : "";
  const said = words.split("\n").filter((line) => /^[EW]:/.test(line));
  // Which dependency fails is told on stdout: ` name : Depends: other (>= 2) but it is not installable`.
  const unmet = typeof stdout === "string" ? (stdout.split("have unmet dependencies:\n")[1] ?? "") : "";
  for (const line of unmet.split("\n").filter((text) => text.startsWith(" "))) said.push(`   ${line.trim()}`);
  const why = said.map((line) => line.slice(3)).join("; ") || words.trim();
  const bad = /NO_PUBKEY|not signed|EXPKEYSIG|BADSIG|signatures? (was|were|could|couldn)/i.test(why);
  return new ExpectedError(bad ? "SIGNATURE_INVALID" : "PACKAGE_UNAVAILABLE", `apt: ${why.slice(0, 1000)}`, {
    where: `packages of ${distribution}: ${program} ${argv
      .filter((word) => !word.startsWith("-"))
      .slice(0, 6)
      .join(" ")}`,
    cause,
  });
}
