/** The guest's disks, kernel and initrd, made once and kept. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, ingredientsOf } from "./cache.ts";
import { command } from "./command.ts";
import { distributionCodename } from "./apt.ts";
import { initScript, makeInitrd } from "./initrd.ts";
import { guestPackages, maskedUnits } from "./packages.ts";
import { guestFiles, kernelOf, makeRootTree } from "./root-tree.ts";

/** Absolute paths; nobody writes to these files again. */
export interface Image {
  readonly folder: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Raw ext4, sparse. */
  readonly root: string;
  /** Raw disk with one swap partition, which the guest's fstab names by its UUID. */
  readonly swap: string;
}

const rootSize = "8G";
const mebibyte = 1024 * 1024;
const swapPartition = { uuid: "5b1c2f0e-6d57-4d0c-9a55-6b7562656665", start: mebibyte, size: 256 * mebibyte };

/** Takes it from the cache, or makes it: two minutes, root, and the distribution's packages are needed. */
export async function image(): Promise<Image> {
  const ingredients = {
    codename: await distributionCodename(),
    guestPackages,
    maskedUnits,
    guestFiles: await ingredientsOf(guestFiles),
    // Changes in how the image is made.
    scripts: ["apt.ts", "root-tree.ts", "initrd.ts", "image.ts"].map((name) =>
      digestOf(join(import.meta.dirname, name)),
    ),
    initScript: digestOf(initScript),
  };
  const folder = await cached("image", ingredients, makeImage);
  return { folder, ...filesOf(folder) };
}

function filesOf(folder: string): Omit<Image, "folder"> {
  return {
    kernel: join(folder, "vmlinuz"),
    initrd: join(folder, "initrd"),
    root: join(folder, "root.ext4"),
    swap: join(folder, "swap.raw"),
  };
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

async function makeImage(folder: string): Promise<void> {
  const files = filesOf(folder);
  const tree = join(folder, "tree");
  await makeRootTree(tree);
  copyFileSync(kernelOf(tree).path, files.kernel);
  await makeInitrd(tree, join(folder, "initrd.d"), files.initrd);
  await makeFileSystem(tree, files.root, rootSize);
  await makeSwap(folder, files.swap);
  rmSync(tree, { recursive: true });
  rmSync(join(folder, "initrd.d"), { recursive: true });
}

/** An ext4 image of a folder, with no loop device. */
export async function makeFileSystem(tree: string, output: string, size: string, label = "root"): Promise<void> {
  await command(["truncate", "-s", size, output]);
  const extra = "lazy_itable_init=1,lazy_journal_init=1,nodiscard";
  await command(["mkfs.ext4", "-q", "-L", label, "-E", extra, "-d", tree, output]);
}

/** mkswap cannot write at an offset, so the partition is made apart and then put in its place. */
async function makeSwap(folder: string, output: string): Promise<void> {
  const { uuid, start, size } = swapPartition;
  const partition = join(folder, "swap.part");
  mkdirSync(folder, { recursive: true });
  writeFileSync(partition, "");
  truncateSync(partition, size);
  await command(["mkswap", "--uuid", uuid, partition]);
  writeFileSync(output, "");
  truncateSync(output, start + size + mebibyte);
  await command(["sfdisk", "--quiet", output], {
    input: `label: gpt\nstart=${start / 512}, size=${size / 512}, type=swap\n`,
  });
  await command(["dd", `if=${partition}`, `of=${output}`, "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"]);
  rmSync(partition);
}
