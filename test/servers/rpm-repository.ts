/** Rpm repositories of tiny packages, built by rpmbuild and createrepo_c and signed by gpg as a distribution's are. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requirePackages } from "../programs/packages.ts";

export interface RpmRecipe {
  readonly name: string;
  readonly version?: string;
  readonly requires?: readonly string[];
  readonly provides?: readonly string[];
  /** Path on the host → text. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Builds noarch packages and the metadata of a repository of them at `folder`. */
export function buildRpmRepository(folder: string, recipes: readonly RpmRecipe[]): void {
  requirePackages("rpm", "createrepo-c");
  const top = join(folder, "..", "rpmbuild");
  mkdirSync(folder, { recursive: true });
  for (const recipe of recipes) {
    const spec = join(folder, "..", `${recipe.name}.spec`);
    writeFileSync(spec, specOf(recipe));
    const define = (name: string, value: string): string[] => ["--define", `${name} ${value}`];
    execFileSync(
      "rpmbuild",
      ["-bb", "--quiet", ...define("_topdir", top), ...define("_build_id_links", "none"), spec],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
  }
  for (const name of readdirSync(join(top, "RPMS/noarch"))) cpSync(join(top, "RPMS/noarch", name), join(folder, name));
  rmSync(top, { recursive: true });
  execFileSync("createrepo_c", ["--quiet", "--checksum", "sha256", folder], { stdio: ["ignore", "ignore", "pipe"] });
}

/** Signs repomd.xml with a new key and gives the armoured public key. */
export function signRepository(folder: string, home: string): string {
  requirePackages("gnupg", "gpgv");
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...argv: string[]): Buffer =>
    execFileSync("gpg", ["--homedir", home, "--batch", "--yes", "--quiet", ...argv], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  gpg(
    "--passphrase",
    "",
    "--pinentry-mode",
    "loopback",
    "--quick-generate-key",
    "repository@example",
    "ed25519",
    "sign",
    "never",
  );
  const repomd = join(folder, "repodata/repomd.xml");
  gpg("--armor", "--detach-sign", "--output", `${repomd}.asc`, repomd);
  const key = join(home, "key.asc");
  writeFileSync(key, gpg("--armor", "--export"));
  execFileSync("gpgconf", ["--homedir", home, "--kill", "all"], { stdio: "ignore" });
  return key;
}

/** The metadata's list of packages, as createrepo_c stored it. */
export function primaryOf(folder: string): string {
  const repomd = readFileSync(join(folder, "repodata/repomd.xml"), "utf8");
  return join(folder, /repodata\/[^"]*primary\.xml\.\w+/.exec(repomd)?.[0] ?? "");
}

function specOf({ name, version = "1.0", requires = [], provides = [], files = {} }: RpmRecipe): string {
  const install = Object.entries(files).map(
    ([path, text]) =>
      `mkdir -p %{buildroot}$(dirname ${path})\ncat > %{buildroot}${path} <<'END'\n${text}\nEND\nchmod 755 %{buildroot}${path}`,
  );
  return [
    `Name: ${name}`,
    `Version: ${version}`,
    "Release: 1",
    "Summary: a package of a test",
    "License: Apache-2.0",
    "BuildArch: noarch",
    "AutoReqProv: no",
    ...requires.map((text) => `Requires: ${text}`),
    ...provides.map((text) => `Provides: ${text}`),
    "%description",
    "A package of a test.",
    "%install",
    ...install,
    "%files",
    ...Object.keys(files),
    "",
  ].join("\n");
}
