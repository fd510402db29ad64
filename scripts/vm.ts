/**
 * `npm run vm`: the virtual machine of the tests, by hand.
 *
 *     npm run vm build                  make the image and the snapshot (once; later a look into the cache)
 *     npm run vm run 'COMMAND'          restore a machine, run a line of shell in it, throw the machine away
 *     npm run vm boot 'COMMAND'         the same with a cold boot
 *     npm run vm clean                  empty the cache
 *
 * `--bundle PATH` (before the command) plugs the file or folder in as a read-only disk, mounted at /mnt.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { runMain } from "#cli/main";
import { requirePackages } from "../test/programs/packages.ts";
import { cacheFolder } from "./vm/cache.ts";
import { image } from "./vm/image.ts";
import { Machine } from "./vm/machine.ts";
import { plugFolder } from "./vm/medium.ts";
import { hostPackages } from "./vm/packages.ts";
import { snapshot } from "./vm/snapshot.ts";

runMain(main);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { bundle: { type: "string" } }, allowPositionals: true });
  const [action, script = "uname -a"] = positionals;
  requirePackages(...hostPackages);
  switch (action) {
    case "build":
      process.stdout.write(`${(await snapshot()).folder}\n`);
      return 0;
    case "clean":
      rmSync(cacheFolder, { recursive: true, force: true });
      return 0;
    case "run":
    case "boot": {
      await using machine =
        action === "run" ? await Machine.restore(await snapshot()) : await Machine.boot(await image());
      if (values.bundle !== undefined) await plugFolder(machine, values.bundle, "/mnt");
      const result = await machine.exec(["/bin/bash", "-c", script], { timeoutSeconds: 3600 });
      process.stdout.write(result.stdout);
      process.stderr.write(result.stderr);
      return result.code ?? 1;
    }
    default:
      process.stderr.write(
        "usage: npm run vm build | run [--bundle PATH] 'COMMAND' | boot [--bundle PATH] 'COMMAND' | clean\n",
      );
      return 2;
  }
}
