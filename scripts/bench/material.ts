/** What the comparisons work on: real Go programs out of the distribution's packages, kept in a folder for the next run. */
import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import { createCipheriv } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { digestFile } from "#bundle";
import { createAptSource } from "../../builder/sources/apt/programs.ts";

/** Some forty programs, 0.8 GB: what a cluster is made of, and others that share Go's runtime with it. */
const packages = [
  ...["buildah", "caddy", "containerd", "containernetworking-plugins", "docker.io", "etcd-client", "etcd-server"],
  ...["gh", "git-lfs", "hugo", "kubernetes-client", "podman", "prometheus", "rclone", "restic", "runc", "skopeo"],
  "syncthing",
];

/**
 *     programs/<package>/<name>      the programs, and programs/SHA256SUMS
 *     archives/<package>.tar.gz      as upstream would publish them (gzip -6), and archives/SHA256SUMS
 *     debs/<package>.deb             the packages themselves
 *     all.tar.gz  all.tar.zst        every program in one archive
 */
export interface Material {
  readonly dir: string;
  /** Paths below `programs/`. */
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  /** Bytes of all programs. */
  readonly size: number;
}

/** Makes what is missing below `dir`. */
export async function material(dir: string): Promise<Material> {
  const done = join(dir, "complete");
  if (!existsSync(done)) {
    rmSync(dir, { recursive: true, force: true });
    await takePrograms(dir);
    packUp(dir);
    writeFileSync(done, "");
  }
  const programs = filesBelow(join(dir, "programs"));
  const size = programs.reduce((sum, path) => sum + statSync(join(dir, "programs", path)).size, 0);
  return { dir, programs, packages, size };
}

async function takePrograms(dir: string): Promise<void> {
  const apt = createAptSource(join(dir, "apt"));
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const wanted = packages.map((name) => ({ package: name, version: null }));
  const records = await apt.resolve({ architecture, wanted });
  mkdirSync(join(dir, "debs"), { recursive: true });
  for (const record of records) {
    process.stderr.write(`${record.name} ${record.version}\n`);
    const tree = join(dir, "tree");
    const deb = join(dir, "debs", `${record.name}.deb`);
    await apt.open(record, async ({ bytes }) => await writeFile(deb, bytes));
    execFileSync("dpkg-deb", ["-x", deb, tree]);
    const folder = join(dir, "programs", record.name);
    mkdirSync(folder, { recursive: true });
    for (const file of filesBelow(tree)) {
      if (isLargeProgram(join(tree, file))) renameSync(join(tree, file), join(folder, basename(file)));
    }
    rmSync(tree, { recursive: true });
  }
}

function packUp(dir: string): void {
  const programs = join(dir, "programs");
  const archives = join(dir, "archives");
  mkdirSync(archives);
  writeSums(programs);
  for (const name of packages) {
    execFileSync("tar", ["-I", "gzip -6", "-cf", join(archives, `${name}.tar.gz`), "-C", programs, name]);
  }
  writeSums(archives);
  execFileSync("tar", ["-I", "gzip -6", "-cf", join(dir, "all.tar.gz"), "-C", programs, "."]);
  execFileSync("tar", ["-I", "zstd -q -3 -T0", "-cf", join(dir, "all.tar.zst"), "-C", programs, "."]);
}

const largeSize = 3_990_000_000;

/**
 * An archive of one file nearly as long as a member of an archive may be, for measuring memory. Its bytes are a cipher's, the same each
 * time: neither gzip nor a window makes less of them.
 */
export async function largeArchive({ dir }: Material): Promise<string> {
  const archive = join(dir, "large.tar.gz");
  if (existsSync(archive) && statSync(archive).size > largeSize) return archive;
  const tree = join(dir, "large");
  mkdirSync(tree, { recursive: true });
  const cipher = createCipheriv("aes-256-ctr", Buffer.alloc(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(1_000_000);
  const bytes = function* (): Generator<Buffer> {
    for (let done = 0; done < largeSize; done += zeros.length) yield cipher.update(zeros);
  };
  await writeFile(join(tree, "large"), bytes());
  execFileSync("tar", ["-I", "gzip -1", "-cf", `${archive}.partial`, "-C", dir, "large"]);
  rmSync(tree, { recursive: true });
  renameSync(`${archive}.partial`, archive);
  return archive;
}

/** SHA256SUMS of every file below a folder, in it. */
export function writeSums(folder: string): void {
  const lines = filesBelow(folder)
    .filter((path) => path !== "SHA256SUMS")
    .map((path) => `${digestFile(join(folder, path)).digest}  ${path}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SHA256SUMS")
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

function isLargeProgram(path: string): boolean {
  if (statSync(path).size < 1024 * 1024) return false;
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(4);
    readSync(file, start);
    return start.toString("latin1") === "\x7fELF";
  } finally {
    closeSync(file);
  }
}

/** Runs a line of sh in a folder: their side, as an operator would type it. */
export function shell(line: string, folder: string): void {
  const options: ExecFileSyncOptions = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] };
  execFileSync("sh", ["-ec", line], options);
}
