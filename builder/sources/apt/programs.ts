/** Programs out of packages of the machine's own distribution: version and digest by its signed index, and the .deb itself. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ExpectedError, isExpected } from "#cli/errors";
import { openPrivateApt, type PrivateApt } from "./private-apt.ts";

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

export class Apt {
  readonly #dir: string;
  readonly #signal: AbortSignal | undefined;
  readonly #updates = new Map<string, Promise<void>>();
  readonly #opened = new Map<string, Promise<PrivateApt>>();

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
    const apt = await this.#open(one.architecture);
    const folder = join(apt.folder, `download-${randomBytes(8).toString("hex")}`);
    await mkdir(folder);
    const dispose = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
    try {
      const argv = ["download", "-q", `${one.package}=${one.version}`];
      try {
        await apt.run("apt-get", argv, folder);
      } catch (error) {
        if (!isExpected(error, "PACKAGE_UNAVAILABLE")) throw error;
        // The lists may be older than the lock.
        await this.#update(one.architecture);
        await apt.run("apt-get", argv, folder);
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
    const apt = await this.#open(architecture);
    // apt-cache show fails as a whole when one is unknown; what is missing is then said by name.
    return await apt.run("apt-cache", argv).catch((error: unknown) => {
      if (argv[0] === "show" && isExpected(error, "PACKAGE_UNAVAILABLE")) return "";
      throw error;
    });
  }

  async #update(architecture: string): Promise<void> {
    let update = this.#updates.get(architecture);
    if (update === undefined) {
      update = this.#open(architecture).then((apt) => apt.update());
      this.#updates.set(architecture, update);
    }
    await update;
  }

  async #open(architecture: string): Promise<PrivateApt> {
    let opened = this.#opened.get(architecture);
    if (opened === undefined) {
      opened = openBare(join(this.#dir, architecture), architecture, this.#signal);
      this.#opened.set(architecture, opened);
    }
    return await opened;
  }
}

/** As on a machine with nothing installed: what is there must not decide what is taken. */
async function openBare(folder: string, architecture: string, signal?: AbortSignal): Promise<PrivateApt> {
  const about = `apt sources of this machine, ${architecture}`;
  const apt = await openPrivateApt({ folder, architecture, about, signal });
  await apt.setInstalled("");
  return apt;
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
