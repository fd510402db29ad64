/** A fresh Debian tree of just the declared base (mmdebstrap minbase with systemd), made once and unpacked for each test. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requirePackages } from "../programs/packages.ts";

const archive = join(tmpdir(), "kubeferry-debian-12-base.tar");

/** Unpacks the tree at `folder`, which must not exist. Needs root, as dpkg in it does. */
export function makeBaseTree(folder: string): void {
  if (!existsSync(archive)) {
    requirePackages("mmdebstrap");
    const partial = `${archive}.${process.pid}.tar`;
    const include = "--include=systemd,systemd-sysv";
    execFileSync("mmdebstrap", ["--variant=minbase", include, "bookworm", partial], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    renameSync(partial, archive);
  }
  mkdirSync(folder);
  execFileSync("tar", ["-xf", archive, "-C", folder, "--numeric-owner", "-p"]);
}
