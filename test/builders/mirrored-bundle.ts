/** A bundle for the machines that is made anew each time, because what it is made of is no part of this project. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeMedium } from "../../scripts/vm/medium.ts";
import { writeKeyLines } from "./cluster-keys.ts";
import { ensureBuilt, kubeferry } from "./dist.ts";
import type { BuiltBundle } from "../machines/bundle.ts";

/** Builds it with further options of `kubeferry build`, in a folder that goes with the process. */
export async function buildAnew(clusterYaml: string, options: readonly string[]): Promise<BuiltBundle> {
  ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-vm-bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "bundle"));
  writeFileSync(join(folder, "cluster.yaml"), clusterYaml);
  const inFolder = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"] };
  execFileSync(kubeferry, ["build", "cluster.yaml", "-o", "bundle.tar", ...options], inFolder);
  execFileSync("tar", ["-xf", "bundle.tar", "-C", "bundle"], inFolder);
  await makeMedium(join(folder, "bundle"), join(folder, "medium.ext4"));
  return { folder, medium: join(folder, "medium.ext4"), keys: writeKeyLines(folder) };
}
