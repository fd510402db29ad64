/** The root file system of a container: that of the virtual machines, without what is of a machine. */
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { distributionCodename } from "../../scripts/vm/apt.ts";
import { cached, ingredientsOf } from "../../scripts/vm/cache.ts";
import { guestPackages, maskedUnits } from "../../scripts/vm/packages.ts";
import { guestFiles, makeRootTree } from "../../scripts/vm/root-tree.ts";
import { requirePackages } from "../programs/packages.ts";

/** A folder that nobody writes to; from the cache, or made: some minutes, root, and the distribution's packages. */
export async function containerTree(): Promise<string> {
  requirePackages("mmdebstrap");
  const scripts = ["../../scripts/vm/apt.ts", "../../scripts/vm/root-tree.ts", "container-tree.ts"];
  const ingredients = {
    codename: await distributionCodename(),
    guestPackages,
    maskedUnits,
    guestFiles: await ingredientsOf(guestFiles),
    scripts: scripts.map((name) => digestOf(readFileSync(join(import.meta.dirname, name)))),
  };
  const folder = await cached("container", ingredients, async (folder) => {
    const tree = join(folder, "tree");
    await makeRootTree(tree);
    for (const name of ["boot", "lib/modules", "etc/systemd/system/sysinit.target.wants/vm-network.service"]) {
      rmSync(join(tree, name), { recursive: true, force: true });
    }
    writeFileSync(join(tree, "etc/fstab"), "");
    symlinkSync("/dev/null", join(tree, "etc/systemd/system/qemu-guest-agent.service"));
  });
  return join(folder, "tree");
}
