/**
 * The directory that keeps a cluster's secrets: 0700, every file 0600 from its first byte, made once and whole,
 * never overwritten. A crash leaves at most a temporary file, and the next run goes on.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder, writeNew } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";

export interface Vault {
  readonly dir: string;
  /** Text of a file; null when it was not made yet. */
  read(name: string): Promise<string | null>;
  /** What the file holds, made by `make` where it is missing. Two builds at once get the same text. */
  readOrMake(name: string, make: () => string | Promise<string>): Promise<string>;
  /** Names of the files in a folder of it, sorted. */
  list(folder: string): Promise<string[]>;
}

/** Opens or makes the directory. PKI_INVALID when others may look into it. */
export async function openVault(dir: string): Promise<Vault> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await refuseOpenToOthers(dir);
  await removeLeftovers(dir);
  return {
    ...readingVault(dir),
    async readOrMake(name, make) {
      return (await readFrom(dir, name)) ?? createOnce(join(dir, name), await make());
    },
  };
}

/** What the directory has, if it is there; what is made beyond that is kept in memory and forgotten. Nothing is written. */
export async function openScratchVault(dir: string): Promise<Vault> {
  if ((await stat(dir).catch(() => null)) !== null) await refuseOpenToOthers(dir);
  const made = new Map<string, string>();
  return {
    ...readingVault(dir),
    async readOrMake(name, make) {
      const text = made.get(name) ?? (await readFrom(dir, name)) ?? (await make());
      made.set(name, text);
      return text;
    },
  };
}

async function refuseOpenToOthers(dir: string): Promise<void> {
  const { mode } = await stat(dir);
  if ((mode & 0o077) !== 0) {
    throw new ExpectedError("PKI_INVALID", "the directory of the cluster's keys is open to other users", {
      where: dir,
      expected: "mode 0700",
      found: `mode ${formatMode(mode)}`,
      hint: `chmod 0700 ${dir}`,
    });
  }
}

function readingVault(dir: string): Omit<Vault, "readOrMake"> {
  return {
    dir,
    read: (name) => readFrom(dir, name),
    async list(folder) {
      try {
        return (await readdir(join(dir, folder))).filter((name) => !isTemporary(name)).toSorted();
      } catch (error) {
        if (isCode(error, "ENOENT")) return [];
        throw error;
      }
    },
  };
}

async function readFrom(dir: string, name: string): Promise<string | null> {
  try {
    return await readFile(join(dir, name), "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    throw new ExpectedError("PKI_INVALID", `cannot read ${name} in the directory of the cluster's keys`, {
      where: join(dir, name),
      cause: error,
      hint: `ls -l ${join(dir, name)}`,
    });
  }
}

/** Writes beside and links into place, so that the name either is not there or names the whole file. */
async function createOnce(path: string, text: string): Promise<string> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${process.pid}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeNew(temporary, text, 0o600);
    await link(temporary, path);
    await syncFolder(folder);
    return text;
  } catch (error) {
    // Another build made it in the meantime: its text is the one.
    if (isCode(error, "EEXIST")) return readFile(path, "utf8");
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Temporary files of builds that are no longer there. */
async function removeLeftovers(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !isTemporary(entry.name)) continue;
    if (!isAlive(Number(entry.name.split(".")[1]))) await rm(join(entry.parentPath, entry.name), { force: true });
  }
}

function isTemporary(name: string): boolean {
  return /^\.\d+\.[0-9a-f]{12}\.tmp$/.test(name);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
