/** Apt repositories of tiny packages, built by dpkg-deb and signed by gpg as a distribution's are. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestOf } from "#bundle";
import { requirePackages } from "../programs/packages.ts";

export interface DebRecipe {
  readonly name: string;
  readonly version?: string;
  readonly depends?: string;
  readonly preDepends?: string;
}

/** Builds packages for every architecture and the unsigned index of suite `test`, component `main`, at `folder`. */
export function buildAptRepository(folder: string, recipes: readonly DebRecipe[]): void {
  const stanzas = recipes.map(({ name, version = "1.0", depends, preDepends }) => {
    const tree = join(folder, "build", name);
    const control = [
      `Package: ${name}`,
      `Version: ${version}`,
      "Architecture: all",
      "Maintainer: a test <test@example>",
      ...(depends === undefined ? [] : [`Depends: ${depends}`]),
      ...(preDepends === undefined ? [] : [`Pre-Depends: ${preDepends}`]),
      "Description: a package of a test",
    ];
    mkdirSync(join(tree, "DEBIAN"), { recursive: true });
    writeFileSync(join(tree, "DEBIAN/control"), `${control.join("\n")}\n`);
    mkdirSync(join(tree, "usr/share", name), { recursive: true });
    writeFileSync(join(tree, "usr/share", name, "text"), name);
    const path = `pool/${name}_${version}_all.deb`;
    mkdirSync(join(folder, "pool"), { recursive: true });
    execFileSync("dpkg-deb", ["--root-owner-group", "--build", tree, join(folder, path)], { stdio: "ignore" });
    const bytes = readFileSync(join(folder, path));
    return [...control, `Filename: ${path}`, `Size: ${bytes.length}`, `SHA256: ${digestOf(bytes)}`, ""].join("\n");
  });
  rmSync(join(folder, "build"), { recursive: true });
  const index = "main/binary-amd64/Packages";
  const text = stanzas.join("\n");
  const path = join(folder, "dists/test", index);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  const release = [
    "Suite: test",
    "Codename: test",
    "Architectures: amd64",
    "Components: main",
    `Date: ${new Date().toUTCString()}`,
    "SHA256:",
    ` ${digestOf(text)} ${Buffer.byteLength(text)} ${index}`,
    "",
  ];
  writeFileSync(join(folder, "dists/test/Release"), release.join("\n"));
}

/** Signs the index with a new key (InRelease) and gives the file of the public key. */
export function signAptRepository(folder: string, home: string): string {
  requirePackages("gnupg", "gpgv");
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...argv: string[]): Buffer =>
    execFileSync("gpg", ["--homedir", home, "--batch", "--yes", "--quiet", ...argv], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  const user = "repository@example";
  gpg("--passphrase", "", "--pinentry-mode", "loopback", "--quick-generate-key", user, "ed25519", "sign", "never");
  const release = join(folder, "dists/test/Release");
  gpg("--clearsign", "--output", join(folder, "dists/test/InRelease"), release);
  const key = join(home, "key.gpg");
  writeFileSync(key, gpg("--export"));
  execFileSync("gpgconf", ["--homedir", home, "--kill", "all"], { stdio: "ignore" });
  return key;
}
