/** Whether dist/ has what `npm run build` makes, of the sources that are there now. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const sources = ["builder", "installer", "manifests", "scripts/bundle.ts", "scripts/compile.ts"];

export function isBuilt(): boolean {
  const names = ["kubeferry", "install", "install-linux-amd64", "install-linux-arm64"];
  if (!names.every((name) => existsSync(join(dist, name)))) return false;
  const newer = [...sources, "-type", "f", "-newer", join(dist, "kubeferry")];
  return execFileSync("find", newer, { cwd: root, encoding: "utf8" }) === "";
}

/** `npm run build`, unless {@link isBuilt}. */
export function makeExecutables(): void {
  if (isBuilt()) return;
  execFileSync(process.execPath, ["scripts/bundle.ts"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
