/** A small initial RAM disk: the guest's own static busybox, four modules, one script. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { command } from "./command.ts";
import { kernelOf } from "./root-tree.ts";

export const initScript = join(import.meta.dirname, "initrd.sh");
const neededModules = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic"] as const;

/** Writes an initrd for the kernel of `root` to `output`, using `scratch` as a working folder. */
export async function makeInitrd(root: string, scratch: string, output: string): Promise<void> {
  for (const name of ["bin", "dev", "proc", "sys", "root", "modules"])
    mkdirSync(join(scratch, name), { recursive: true });
  copyFileSync(join(root, "bin/busybox"), join(scratch, "bin/busybox"));
  copyFileSync(initScript, join(scratch, "init"));
  const modules = await modulesInOrder(root);
  for (const path of modules) copyFileSync(path, join(scratch, "modules", basename(path)));
  writeFileSync(join(scratch, "modules/list"), modules.map((path) => `${basename(path)}\n`).join(""));
  await command(["chmod", "0755", join(scratch, "init"), join(scratch, "bin/busybox")]);
  const members = await command(["find", "."], { cwd: scratch });
  await command(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0", "-O", output], { cwd: scratch, input: members });
}

/** Paths of the modules with all that they need, in the order of loading; built-in ones are left out. */
async function modulesInOrder(root: string): Promise<string[]> {
  const paths = new Set<string>();
  for (const name of neededModules) {
    const answer = await command(["modprobe", "-d", root, "-S", kernelOf(root).version, "--show-depends", name]);
    for (const line of answer.split("\n")) {
      const path = /^insmod (\S+)/.exec(line)?.[1];
      if (path !== undefined) paths.add(path);
    }
  }
  return [...paths];
}
