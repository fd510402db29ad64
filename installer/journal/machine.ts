/** Programs that this machine cannot run are refused before anything changes: they would only fail once their units start. */
import { basename } from "node:path";
import type { Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { readElf } from "#formats/elf";

/** PLATFORM_MISMATCH where a staged program is for another machine, or is damaged; what is no program is passed over. */
export function refuseForeignPrograms(paths: readonly string[], platform: Platform): void {
  for (const path of paths) {
    const program = readElf(path);
    if (program === null) continue;
    const found = "damaged" in program ? program.damaged : `linux/${program.machine}`;
    if (found === platform) continue;
    throw new ExpectedError("PLATFORM_MISMATCH", "a program of the bundle is for another machine", {
      where: `content ${basename(path)}`,
      expected: platform,
      found,
      hint: "build the bundle again; nothing was changed",
    });
  }
}
