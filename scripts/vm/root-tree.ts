/** The guest's root file system as a folder: this machine's own distribution, by mmdebstrap. */
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { aptOptions, aptSources, distributionCodename } from "./apt.ts";
import { command } from "./command.ts";
import { guestPackages, maskedUnits } from "./packages.ts";

export const guestFiles = join(import.meta.dirname, "guest");

/** Units of the guest's own files and what wants them. */
const enabledUnits = [["vm-network.service", "sysinit.target"]] as const;

/** Fills `root`. Wants to be root, and the distribution's packages. */
export async function makeRootTree(root: string): Promise<void> {
  const options = (await aptOptions()).map((line) => `--aptopt=${line.replace(/;$/, "")}`);
  const left = ["man", "locale", "doc"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const include = `--include=${guestPackages.join(",")}`;
  const suite = await distributionCodename();
  await command([
    "mmdebstrap",
    "--mode=root",
    "--variant=minbase",
    include,
    ...options,
    ...left,
    suite,
    root,
    ...(await aptSources()),
  ]);
  // Where this machine gets its packages is no business of the guest, which reaches nothing anyway.
  for (const name of ["sources.list", "sources.list.d", "apt.conf.d/99mmdebstrap"]) {
    rmSync(join(root, "etc/apt", name), { recursive: true, force: true });
  }
  rmSync(join(root, "var/lib/apt/lists"), { recursive: true, force: true });
  customize(root);
}

function customize(root: string): void {
  cpSync(guestFiles, root, { recursive: true });
  chmodSync(join(root, "usr/local/sbin/vm-network"), 0o755);
  const units = join(root, "etc/systemd/system");
  for (const [unit, target] of enabledUnits) {
    mkdirSync(join(units, `${target}.wants`), { recursive: true });
    symlinkSync(`/etc/systemd/system/${unit}`, join(units, `${target}.wants`, unit));
  }
  for (const unit of maskedUnits) replaceLink("/dev/null", join(units, unit));
  replaceLink("/lib/systemd/system/multi-user.target", join(units, "default.target"));
}

function replaceLink(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

/** The only kernel in the tree: its version and its file. */
export function kernelOf(root: string): { version: string; path: string } {
  const version = readdirSync(join(root, "lib/modules"))[0];
  if (version === undefined) throw new Error(`${root} has no kernel`);
  return { version, path: join(root, "boot", `vmlinuz-${version}`) };
}
