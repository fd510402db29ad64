/**
 * A process that checks the files of a folder with a pool, for tests that break its threads: `check-files.ts FOLDER DIGEST`.
 * Prints what the pool found wrong; its exit code is that of the installer's own main function.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "#bundle";
import { runMain } from "#cli/main";
import { inPool } from "../../installer/bundle/workers/pool.ts";

const [folder = "", digest = ""] = process.argv.slice(2);

runMain(async () => {
  const checks = readdirSync(folder)
    .toSorted()
    .map((path) => {
      const file = join(folder, path);
      const { size } = statSync(file);
      return { member: { path, file, offset: 0, size, mode: 0o644, uid: 0 }, digest: digest as Digest };
    });
  const found = await inPool("check", checks, { weight: ({ member }) => member.size });
  process.stdout.write(`${found.length} checked, wrong: ${JSON.stringify(found.flat().map(({ member }) => member))}\n`);
  return 0;
});
