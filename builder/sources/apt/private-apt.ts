/**
 * The machine's own apt with state and cache of its own in one folder: its sources and keys (or repositories that are
 * given), its check of signatures. No root, no stale list of the machine's, and any architecture as if it were the machine's.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ExpectedError, isExpected } from "#cli/errors";
import { parseStanzas, type Stanza } from "./control.ts";

export interface PrivateAptOptions {
  /** Made when it is missing; kept between builds, so that little is fetched twice. */
  readonly folder: string;
  /** Debian's name: `amd64`. */
  readonly architecture: string;
  /** Text of a deb822 sources file, instead of the machine's own sources. */
  readonly sources?: string | undefined;
  /** For messages: `apt sources of this machine, amd64`. */
  readonly about: string;
  readonly signal?: AbortSignal | undefined;
}

/** One package of one version, as the distribution's signed index has it. */
export interface AptRecord {
  readonly name: string;
  readonly version: string;
  /** `amd64`, `all`. */
  readonly architecture: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly size: number;
}

export type AptFile = Pick<AptRecord, "name" | "version" | "architecture">;

export interface PrivateApt {
  readonly architecture: string;
  /** For messages. */
  readonly about: string;
  /**
   * Runs one program of apt; its stdout. TOOL_MISSING, SIGNATURE_INVALID, UNREACHABLE, or PACKAGE_UNAVAILABLE with
   * apt's own words.
   */
  run(program: "apt-get" | "apt-cache", argv: readonly string[], workingDirectory?: string): Promise<string>;
  /** Refreshes the signed indexes, once. */
  update(): Promise<void>;
  /** Those of packages (`name`, `name=version`) that the indexes know, as `apt-cache show` gives them. */
  stanzas(names: readonly string[], ...flags: readonly string[]): Promise<Stanza[]>;
  /** What the index has, in the order asked; without a version, of the one that apt would install. */
  show(wanted: readonly { name: string; version: string | null }[]): Promise<(AptRecord | undefined)[]>;
  /** Downloads packages for as long as `take` reads them, whose digests the caller checks. */
  download<T>(wanted: readonly AptFile[], take: (pathOf: (one: AptFile) => string) => Promise<T>): Promise<T>;
  /** Replaces what apt believes to be installed: text in the form of dpkg's status file. */
  setInstalled(status: string): Promise<void>;
}

const execute = promisify(execFile);
const largestOutput = 256 * 1024 * 1024;
const longest = 10 * 60 * 1000;
/** Another build holds the lock of the lists for seconds. */
const lockAttempts = 120;

export async function openPrivateApt(options: PrivateAptOptions): Promise<PrivateApt> {
  const { folder, architecture, sources, about, signal } = options;
  for (const path of ["state/lists/partial", "cache/archives/partial", "sources.d"]) {
    await mkdir(join(folder, path), { recursive: true });
  }
  if (sources !== undefined) await writeFile(join(folder, "sources.d/kubeferry.sources"), sources);
  const config = join(folder, "apt.conf");
  await writeFile(config, configText(folder, architecture, sources !== undefined));

  const run: PrivateApt["run"] = async (program, argv, workingDirectory) => {
    const words = [
      "LC_ALL=C",
      "DEBIAN_FRONTEND=noninteractive",
      `APT_CONFIG=${config}`,
      program,
      "-c",
      config,
      ...argv,
    ];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const cwd = workingDirectory ?? folder;
        return (await execute("env", words, { cwd, timeout: longest, maxBuffer: largestOutput, signal })).stdout;
      } catch (cause) {
        signal?.throwIfAborted();
        const { stderr = "" } = cause as { stderr?: string };
        const locked = /Could not get lock|Unable to lock/.test(stderr);
        if (!locked || attempt >= lockAttempts) throw aptError(cause, about, [program, ...argv]);
        await sleep(1000, undefined, { signal });
      }
    }
  };
  // As on a machine with nothing installed: what is there must not decide what is taken.
  const setInstalled = (status: string): Promise<void> => writeFile(join(folder, "status"), status);
  await setInstalled("");

  const stanzas: PrivateApt["stanzas"] = async (names, ...flags) => {
    try {
      return parseStanzas(await run("apt-cache", ["show", ...flags, ...names]));
    } catch (error) {
      if (!isExpected(error, "PACKAGE_UNAVAILABLE")) throw error;
      // It fails as a whole when one is unknown: then each is asked for by itself.
      return names.length === 1 ? [] : (await Promise.all(names.map((name) => stanzas([name], ...flags)))).flat();
    }
  };
  let updated: Promise<unknown> | undefined;
  return {
    architecture,
    about,
    run,
    setInstalled,
    stanzas,
    // apt-get calls a source that it cannot reach a warning and goes on with old lists; here that is an error.
    async update() {
      await (updated ??= run("apt-get", ["update", "-q", "-o", "APT::Update::Error-Mode=any"]));
    },
    async show(wanted) {
      const newest = wanted.filter(({ version }) => version === null).map(({ name }) => name);
      const exact = wanted.flatMap(({ name, version }) => (version === null ? [] : [`${name}=${version}`]));
      const records = [
        ...(newest.length === 0 ? [] : await stanzas(newest, "--no-all-versions")),
        ...(exact.length === 0 ? [] : await stanzas(exact)),
      ].flatMap(recordOf);
      return wanted.map(({ name, version }) =>
        records.find((one) => one.name === name && (version === null || one.version === version)),
      );
    },
    async download(wanted, take) {
      const into = await mkdtemp(join(folder, "download-"));
      try {
        const specs = wanted.map(({ name, version, architecture: of }) =>
          of === "all" || of === architecture ? `${name}=${version}` : `${name}:${of}=${version}`,
        );
        await run("apt-get", ["download", "-q", ...specs], into);
        const files = await readdir(into);
        return await take((one) => {
          const start = `${one.name}_${one.version.replaceAll(":", "%3a")}_`;
          const file = files.find((name) => name.startsWith(start) && name.endsWith(".deb"));
          if (file === undefined) throw unavailable([`${one.name}=${one.version}`], { about });
          return join(into, file);
        });
      } finally {
        await rm(into, { recursive: true, force: true });
      }
    },
  };
}

/** Nothing for a package without a SHA-256. */
function recordOf(stanza: Stanza): AptRecord[] {
  const [sha256 = "", size = ""] = [stanza.get("sha256"), stanza.get("size")];
  if (!/^[0-9a-f]{64}$/.test(sha256) || !/^\d+$/.test(size)) return [];
  const [name = "", version = "", architecture = ""] = ["package", "version", "architecture"].map((key) =>
    stanza.get(key),
  );
  return [{ name, version, architecture, digest: `sha256:${sha256}`, size: Number(size) }];
}

export function unavailable(names: readonly string[], { about }: Pick<PrivateApt, "about">): ExpectedError {
  return new ExpectedError("PACKAGE_UNAVAILABLE", `the distribution does not have ${names.join(", ")}`, {
    where: about,
    hint: "kubeferry lock --update takes the versions that it has now; apt-cache policy PACKAGE shows them",
  });
}

function configText(folder: string, architecture: string, ownSources: boolean): string {
  const lines = [
    "#clear APT::Architectures;",
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    // The folder is the user's own, where apt's sandbox user may not write.
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

function aptError(cause: unknown, about: string, words: readonly string[]): ExpectedError {
  const { code, stderr = "", stdout = "" } = cause as { code?: unknown; stderr?: string; stdout?: string };
  if (code === 127 || code === "ENOENT") {
    const hint =
      "run it on Debian or Ubuntu, give the packages with --mirror DIR, or choose another --release (kubeferry releases)";
    return new ExpectedError("TOOL_MISSING", "packages of Debian or Ubuntu are wanted, and this machine has no apt", {
      where: about,
      hint,
      cause,
    });
  }
  const said = stderr.split("\n").filter((line) => /^[EW]:/.test(line));
  // Which dependency fails is told on stdout: ` name : Depends: other (>= 2) but it is not installable`.
  const unmet = stdout.split("have unmet dependencies:\n")[1] ?? "";
  const details = unmet.split("\n").filter((line) => line.startsWith(" "));
  const why = [...said.map((line) => line.slice(3)), ...details.map((line) => line.trim())].join("; ") || stderr.trim();
  const shown = words.filter((word) => !word.startsWith("-")).slice(0, 6);
  return new ExpectedError(codeFor(why), `apt: ${(why || `${words[0]} failed`).slice(0, 1000)}`, {
    where: `${about}: ${shown.join(" ")}`,
    cause,
    hint: "kubeferry lock --update takes the versions that the distribution has now",
  });
}

function codeFor(why: string): "SIGNATURE_INVALID" | "UNREACHABLE" | "PACKAGE_UNAVAILABLE" {
  if (/NO_PUBKEY|not signed|EXPKEYSIG|BADSIG|signatures? (?:was|were|could|couldn)/i.test(why))
    return "SIGNATURE_INVALID";
  const far = /Temporary failure|Could not resolve|Could not connect|Connection (?:timed|failed|refused)/i;
  return far.test(why) ? "UNREACHABLE" : "PACKAGE_UNAVAILABLE";
}
