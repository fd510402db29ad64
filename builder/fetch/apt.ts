/**
 * Packages of the machine's own distribution, by its own apt: its sources, its keys, its check of signatures. State and
 * cache are private (no root, no stale list of the machine's, and other architectures as if the machine were of them).
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ExpectedError } from "#kit/errors";

export interface AptPackage {
  readonly package: string;
  readonly version: string;
  /** Debian's name: `amd64`. */
  readonly architecture: string;
}

export interface AptRecord extends AptPackage {
  /** `sha256:<hex>`, from the distribution's signed index. */
  readonly digest: string;
  readonly size: number;
}

const run = promisify(execFile);
const largestOutput = 64 * 1024 * 1024;
/** Another build holds the lock of the lists for seconds. */
const lockAttempts = 120;

export class Apt {
  readonly #dir: string;
  readonly #signal: AbortSignal | undefined;
  readonly #updates = new Map<string, Promise<void>>();
  readonly #states = new Map<string, Promise<string>>();

  /** `dir` is a folder of our own; it is made when it is first needed. */
  constructor(dir: string, signal?: AbortSignal) {
    this.#dir = resolve(dir);
    this.#signal = signal;
  }

  /** Version, digest and size of packages of one architecture, from indexes that were just refreshed. */
  async resolve(
    architecture: string,
    wanted: readonly { readonly package: string; readonly version: string | null }[],
  ): Promise<AptRecord[]> {
    await this.#update(architecture);
    const open = wanted.filter(({ version }) => version === null).map((one) => one.package);
    const candidates =
      open.length === 0 ? new Map() : parsePolicy(await this.#cache(architecture, ["policy", ...open]));
    const chosen = wanted.map((one) => ({
      package: one.package,
      version: one.version ?? candidates.get(one.package) ?? null,
      architecture,
    }));
    const missing = chosen.filter(({ version }) => version === null).map((one) => one.package);
    if (missing.length > 0) throw unavailable(missing, architecture);
    const specs = chosen.map((one) => `${one.package}=${one.version}`);
    const records = parseRecords(await this.#cache(architecture, ["show", ...specs]));
    return chosen.map(({ package: name, version }) => {
      const found = records.find((record) => record.package === name && record.version === version);
      if (found === undefined) throw unavailable([`${name}=${version}`], architecture);
      return { ...found, architecture };
    });
  }

  /** Downloads one package into a folder of its own; `dispose` removes it. The caller checks the digest. */
  async download(one: AptPackage): Promise<{ path: string; dispose: () => Promise<void> }> {
    const folder = join(await this.#state(one.architecture), `download-${randomBytes(8).toString("hex")}`);
    await mkdir(folder);
    const dispose = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
    try {
      const argv = ["download", "-q", `${one.package}=${one.version}`];
      try {
        await this.#apt("apt-get", one.architecture, argv, folder);
      } catch (error) {
        if ((error as ExpectedError).code !== "PACKAGE_UNAVAILABLE") throw error;
        // The lists may be older than the lock.
        await this.#update(one.architecture);
        await this.#apt("apt-get", one.architecture, argv, folder);
      }
      const name = (await readdir(folder)).find((file) => file.endsWith(".deb"));
      if (name === undefined) throw unavailable([`${one.package}=${one.version}`], one.architecture);
      return { path: join(folder, name), dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  async #cache(architecture: string, argv: readonly string[]): Promise<string> {
    // apt-cache show fails as a whole when one is unknown; what is missing is then said by name.
    return await this.#apt("apt-cache", architecture, argv).catch((error: unknown) => {
      if (argv[0] === "show" && (error as ExpectedError).code === "PACKAGE_UNAVAILABLE") return "";
      throw error;
    });
  }

  async #update(architecture: string): Promise<void> {
    let update = this.#updates.get(architecture);
    if (update === undefined) {
      // apt calls a source it cannot reach a warning and goes on with old lists; here that is an error.
      update = this.#apt("apt-get", architecture, ["update", "-q", "-o", "APT::Update::Error-Mode=any"]).then(
        () => undefined,
      );
      this.#updates.set(architecture, update);
    }
    await update;
  }

  /** Folder with the state of one architecture. */
  async #state(architecture: string): Promise<string> {
    let state = this.#states.get(architecture);
    if (state === undefined) {
      state = makeState(join(this.#dir, architecture), architecture);
      this.#states.set(architecture, state);
    }
    return await state;
  }

  async #apt(program: string, architecture: string, argv: readonly string[], cwd?: string): Promise<string> {
    const folder = await this.#state(architecture);
    const config = join(folder, "apt.conf");
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
        const options = { cwd: cwd ?? folder, maxBuffer: largestOutput, signal: this.#signal };
        return (await run("env", words, options)).stdout;
      } catch (cause) {
        this.#signal?.throwIfAborted();
        const { stderr: said = "" } = cause as { stderr?: string };
        if (!/Could not get lock|Unable to lock/.test(said) || attempt >= lockAttempts)
          throw aptError(cause, said, argv);
        await sleep(1000, undefined, { signal: this.#signal });
      }
    }
  }
}

async function makeState(folder: string, architecture: string): Promise<string> {
  for (const path of ["state/lists/partial", "cache/archives/partial"])
    await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, "status"), "");
  const lines = [
    "#clear APT::Architectures;",
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    // The folder is the user's own, where apt's sandbox user may not write.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    'APT::Get::AllowUnauthenticated "false";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
  ];
  await writeFile(join(folder, "apt.conf"), `${lines.join("\n")}\n`);
  return folder;
}

/** `apt-cache policy`: the version that apt would install of each package, by the machine's own preferences. */
export function parsePolicy(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    name = /^(\S+?)(?::\w+)?:$/.exec(line)?.[1] ?? name;
    const candidate = /^ {2}Candidate: (\S+)/.exec(line)?.[1];
    if (candidate !== undefined && candidate !== "(none)") found.set(name, candidate);
  }
  return found;
}

/** `apt-cache show`: one stanza a package. Those without a SHA256 are left out. */
export function parseRecords(text: string): AptRecord[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1]?.trim() ?? "";
    const sha256 = field("SHA256");
    const size = field("Size");
    if (!/^[0-9a-f]{64}$/.test(sha256) || !/^\d+$/.test(size)) return [];
    const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
    return [{ package: name, version, architecture, digest: `sha256:${sha256}`, size: Number(size) }];
  });
}

function unavailable(names: readonly string[], architecture: string): ExpectedError {
  return new ExpectedError("PACKAGE_UNAVAILABLE", `the distribution does not have ${names.join(", ")}`, {
    where: `apt sources of this machine, ${architecture}`,
    hint: "kubeferry lock --update takes the versions that it has now; apt-cache policy PACKAGE shows them",
  });
}

function aptError(cause: unknown, said: string, argv: readonly string[]): ExpectedError {
  const { code } = cause as { code?: unknown };
  if (code === 127 || code === "ENOENT") {
    return new ExpectedError(
      "TOOL_MISSING",
      "this release takes packages of Debian or Ubuntu, and this machine has no apt",
      {
        hint: "run it on Debian or Ubuntu, give the packages with --mirror DIR, or choose another --release (kubeferry releases)",
        cause,
      },
    );
  }
  const lines = said.split("\n").filter((line) => /^[EW]:/.test(line));
  const why = lines.map((line) => line.slice(3)).join("; ") || said.trim() || `${argv[0]} failed`;
  const where = `apt ${argv
    .filter((word) => !word.startsWith("-"))
    .slice(0, 4)
    .join(" ")}`;
  if (/NO_PUBKEY|not signed|EXPKEYSIG|BADSIG|signatures? (?:was|were|could|couldn)/i.test(why)) {
    return new ExpectedError("SIGNATURE_INVALID", `apt: ${why.slice(0, 1000)}`, { where, cause });
  }
  const reached = /Temporary failure|Could not resolve|Could not connect|Connection (?:timed|failed|refused)/i.test(
    why,
  );
  return new ExpectedError(reached ? "UNREACHABLE" : "PACKAGE_UNAVAILABLE", `apt: ${why.slice(0, 1000)}`, {
    where,
    cause,
    hint: "kubeferry lock --update takes the versions that the distribution has now",
  });
}
