/** A folder as a read-only disk: how a bundle comes across the gap. */
import { cpSync, mkdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { command } from "./command.ts";
import { makeFileSystem } from "./image.ts";
import type { Machine } from "./machine.ts";

/** Makes a raw disk image that holds a file, or a folder's contents. */
export async function makeMedium(source: string, output: string): Promise<void> {
  const isFile = statSync(source).isFile();
  let tree = source;
  if (isFile) {
    tree = `${output}.d`;
    mkdirSync(tree, { recursive: true });
    cpSync(source, join(tree, basename(source)));
  }
  const used = Number((await command(["du", "-sm", tree])).split("\t")[0]);
  await makeFileSystem(tree, output, `${Math.ceil(used * 1.15) + 24}M`, "medium");
  if (isFile) rmSync(tree, { recursive: true });
}

/** Plugs `source` into the machine and mounts it read-only at `target`. */
export async function plugFolder(machine: Machine, source: string, target: string): Promise<void> {
  const serial = `medium${machine.plugged.length}`;
  const disk = join(machine.folder, `${serial}.ext4`);
  await makeMedium(source, disk);
  const device = await machine.plug(disk, serial);
  await machine.run(`mkdir -p ${target} && mount -o ro,noload ${device} ${target}`);
}
