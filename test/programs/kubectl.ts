/** The distribution's own kubectl, as a file: installed, or only unpacked where another package has its name. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Path of a real kubectl; what has to be unpacked for it lies in `folder`. */
export function requireKubectl(folder: string): string {
  const status = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}", "kubernetes-client"], {
    encoding: "utf8",
  });
  if (status.stdout.startsWith("ii")) return "/usr/bin/kubectl";
  execFileSync("apt-get", ["download", "-q", "kubernetes-client"], { cwd: folder, stdio: "ignore" });
  const archive = readdirSync(folder).find((name) => name.startsWith("kubernetes-client_"));
  if (archive === undefined) throw new Error("apt-get gave no kubernetes-client");
  execFileSync("dpkg-deb", ["-x", join(folder, archive), folder]);
  return join(folder, "usr/bin/kubectl");
}
