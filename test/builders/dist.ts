/** The executables of `npm run build`, made when they are missing. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
export const dist = join(root, "dist");
export const kubeferry = join(dist, "kubeferry");

export function ensureBuilt(): void {
  const names = ["kubeferry", "install", "install-linux-amd64", "install-linux-arm64", "install.cjs", "man"];
  if (names.every((name) => existsSync(join(dist, name)))) return;
  execFileSync(process.execPath, ["scripts/bundle.ts"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
