/** Packages of the distribution that a test needs: real programs, installed when they are missing. */
import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import { existsSync } from "node:fs";

/** Installs what dpkg does not know yet. RUNLEVEL=1 keeps their services from being started. */
export function requirePackages(...names: string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options: ExecFileSyncOptions = { stdio: ["ignore", "ignore", "inherit"], env: environment };
  // Another test process may hold apt's lock.
  const wait = ["-o", "DPkg::Lock::Timeout=300", "-o", "APT::Get::Lock::Timeout=300"];
  try {
    execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...wait, ...missing], options);
  } catch {
    execFileSync("apt-get", ["update", "-q"], options);
    execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...wait, ...missing], options);
  }
}

function isInstalled(name: string): boolean {
  if (!existsSync("/usr/bin/dpkg-query")) return false;
  try {
    return execFileSync("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}", name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).startsWith("ii");
  } catch {
    return false;
  }
}
