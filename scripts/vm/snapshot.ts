/** The state of a guest that has just booted, made once for each image, qemu and way of calling it. */
import { existsSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { command } from "./command.ts";
import { image } from "./image.ts";
import { Machine, type Snapshot } from "./machine.ts";
import { qemuArguments, qemuVersion, usualMebibytes } from "./qemu.ts";

/** Takes it from the cache, or boots a guest once and saves it. */
export async function snapshot(): Promise<Snapshot> {
  const made = await image();
  const sample = { ...made, folder: "", drives: [], plugged: [], hardwareAddress: "", address: "", switchPath: null };
  const mebibytes = usualMebibytes;
  const ingredients = {
    image: made.folder,
    qemu: await qemuVersion(),
    arguments: qemuArguments({ ...sample, mebibytes, memory: null, restore: false }),
  };
  const folder = await cached("snapshot", ingredients, async (folder) => {
    // A file on tmpfs is memory already; on a disk every page would be written while the guest boots.
    const memory = join(memoryFolder(folder, mebibytes), `kubeferry-vm-memory-${process.pid}`);
    try {
      await using machine = await Machine.boot(made, {}, memory);
      await machine.save(folder);
      await command(["cp", "--sparse=always", memory, join(folder, "memory")]);
    } finally {
      rmSync(memory, { force: true });
    }
  });
  return { image: made, folder };
}

/** Where a file of a guest's RAM may grow to so many MiB: in memory, if there is twice the room. */
export function memoryFolder(fallback: string, mebibytes: number): string {
  if (!existsSync("/dev/shm")) return fallback;
  const { bavail, bsize } = statfsSync("/dev/shm");
  return bavail * bsize > 2 * mebibytes * 1024 * 1024 ? "/dev/shm" : fallback;
}
