/** `npm run build` makes executables that need nothing: what `file` says, and what runs in an empty environment. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestFile, digestOf } from "#bundle";
import { dist, ensureBuilt } from "../builders/dist.ts";
import { Gpg } from "../programs/gpg.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-executables-"));
const { version } = JSON.parse(readFileSync(join(dist, "../package.json"), "utf8")) as { version: string };
ensureBuilt();
after(() => rmSync(folder, { recursive: true, force: true }));

test("file says x86-64 and aarch64", () => {
  requirePackages("file");
  const kind = (name: string): string => execFileSync("file", ["-b", join(dist, name)], { encoding: "utf8" });
  assert.match(kind("install-linux-amd64"), /ELF 64-bit LSB .*x86-64/);
  assert.match(kind("install-linux-arm64"), /ELF 64-bit LSB .*aarch64/);
  assert.match(kind("kubeferry"), process.arch === "arm64" ? /aarch64/ : /x86-64/);
});

test("kubeferry runs in an empty environment, in a directory without node", () => {
  const result = spawnSync(join(dist, "kubeferry"), ["--version"], { cwd: folder, env: {}, encoding: "utf8" });
  assert.deepEqual([result.status, result.stdout.trim(), result.stderr], [0, version, ""]);
});

test("the installer for arm64 runs, under an emulated processor", () => {
  // Not qemu-user-static: it would tell the kernel to start every program of arm64 with it.
  requirePackages("qemu-user", "libc6-arm64-cross", "libstdc++6-arm64-cross");
  const words = ["-L", "/usr/aarch64-linux-gnu", join(dist, "install-linux-arm64"), "--version"];
  assert.equal(execFileSync("qemu-aarch64", words, { encoding: "utf8" }).trim(), version);
});

test("man finds the pages beside them", () => {
  requirePackages("man-db");
  for (const [section, name] of [
    ["1", "kubeferry"],
    ["5", "kubeferry-cluster.yaml"],
    ["8", "kubeferry-install"],
  ] as const) {
    const page = execFileSync("man", ["-M", join(dist, "man"), "-w", section, name], { encoding: "utf8" });
    assert.equal(page.trim(), join(dist, `man/man${section}/${name}.${section}`));
  }
});

test("kubeferry carries its releases in itself", () => {
  const result = spawnSync(join(dist, "kubeferry"), ["releases", "--json"], { cwd: folder, env: {}, encoding: "utf8" });
  const names = result.stdout
    .trim()
    .split("\n")
    .flatMap((line) => (JSON.parse(line) as { release?: string }).release ?? []);
  for (const name of ["distro", "kubernetes-1.36", "kubernetes-1.6"]) assert.ok(names.includes(name), name);
});

/** A folder with launcher, installer and SHA256SUMS, as in a bundle. */
function launchable(name: string): { bundle: string; program: string } {
  const bundle = join(folder, name);
  const file = `install-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`;
  const program = join(bundle, "bin", file);
  mkdirSync(join(bundle, "bin"), { recursive: true });
  copyFileSync(join(dist, "install"), join(bundle, "install"));
  copyFileSync(join(dist, file), program);
  const { digest } = digestFile(program);
  writeFileSync(join(bundle, "SHA256SUMS"), `${"0".repeat(64)}  README.txt\n${digest}  bin/${file}\n`);
  return { bundle, program };
}

test("it verifies upstream's signatures, and says in the lock who signed", () => {
  const place = join(folder, "signed");
  mkdirSync(place);
  const gpg = new Gpg(place);
  try {
    const fingerprint = gpg.key("Up Stream <up@example>");
    const [tool, list, keys] = ["tool", "SHA256SUMS", "KEYS"].map((name) => join(place, name));
    writeFileSync(tool ?? "", "the tool");
    writeFileSync(keys ?? "", gpg.export(fingerprint));
    const manifest = {
      ...{ release: "signed", description: "one tool", generation: "distro", kubernetes: null },
      components: [
        {
          ...{ name: "tool", version: "1", roles: ["etcd"] },
          artifacts: [
            {
              ...{ platform: "linux/amd64", from: `file:${tool}`, files: { ".": "tool" } },
              ...{ checksum: `file:${list}`, signature: { by: "up" } },
            },
          ],
        },
      ],
      signers: { up: { keys: `file:${keys}`, fingerprints: [fingerprint] } },
    };
    writeFileSync(join(place, "release.yaml"), JSON.stringify(manifest));
    const nodes = [{ name: "m1", ip: "10.64.3.1", roles: ["etcd"] }];
    const cluster = { name: "plant", release: "./release.yaml", platforms: ["linux/amd64"], nodes };
    writeFileSync(join(place, "cluster.yaml"), JSON.stringify(cluster));
    const lock = (): ReturnType<typeof spawnSync> =>
      spawnSync(join(dist, "kubeferry"), ["lock", "cluster.yaml", "--cache", join(place, "cache"), "--update"], {
        ...{ cwd: place, env: { HOME: place }, encoding: "utf8" },
      });
    const sums = `${digestOf("the tool")}  tool\n`;
    writeFileSync(list ?? "", gpg.clearSign(sums, fingerprint));
    const good = lock();
    assert.equal(good.status, 0, String(good.stderr));
    assert.match(readFileSync(join(place, "cluster.lock"), "utf8"), new RegExp(`fingerprint: "?${fingerprint}`));
    writeFileSync(list ?? "", sums);
    const bad = lock();
    assert.equal(bad.status, 5);
    assert.match(String(bad.stderr), /SIGNATURE_INVALID: upstream's list carries no signature/);
  } finally {
    gpg.close();
  }
});

test("the launcher runs the installer behind symbolic links, and keeps NODE_OPTIONS out of it", () => {
  const { bundle } = launchable("whole");
  symlinkSync(join(bundle, "install"), join(folder, "first"));
  symlinkSync("first", join(folder, "second"));
  const env = { PATH: "/usr/bin:/bin", NODE_OPTIONS: "--require=/nonexistent.js" };
  const result = spawnSync(join(folder, "second"), ["--version"], { env, encoding: "utf8" });
  assert.deepEqual([result.status, result.stdout.trim()], [0, version], result.stderr);
});

test("the launcher runs nothing that SHA256SUMS does not list", () => {
  const { bundle, program } = launchable("listed");
  const run = (): [number | null, string] => {
    const { status, stderr } = spawnSync(join(bundle, "install"), ["--version"], { encoding: "utf8" });
    return [status, stderr];
  };
  const evil = `#!/bin/sh\ntouch ${join(folder, "evil")}\n`;
  // Beside the launcher, where an older one looked when bin/ had none.
  renameSync(program, join(bundle, "kept"));
  writeFileSync(join(bundle, program.slice(program.lastIndexOf("/") + 1)), evil, { mode: 0o755 });
  assert.equal(run()[0], 6);
  writeFileSync(program, evil, { mode: 0o755 });
  assert.equal(run()[0], 5);
  assert.match(run()[1], /DIGEST_MISMATCH: bin\/install-linux-\w+ is not what SHA256SUMS lists/);
  renameSync(join(bundle, "kept"), program);
  assert.equal(run()[0], 0);
  writeFileSync(join(bundle, "SHA256SUMS"), "");
  assert.equal(run()[0], 5);
  rmSync(join(bundle, "SHA256SUMS"));
  assert.equal(run()[0], 5);
  assert.ok(!existsSync(join(folder, "evil")));
});

test(
  "the launcher says in one line why the installer cannot run, before anything of it does",
  { skip: process.getuid?.() !== 0 },
  () => {
    const { bundle, program } = launchable("unfit");
    const said = (): string => {
      const { status, stdout, stderr } = spawnSync(join(bundle, "install"), ["--version"], { encoding: "utf8" });
      assert.deepEqual([status, stdout], [6, ""], stderr);
      return stderr.split("\n")[0] ?? "";
    };
    const whole = readFileSync(program);
    const needing = (name: string, instead: string): void => {
      const bytes = Buffer.from(whole);
      bytes.write(instead, bytes.indexOf(`${name}\0`), "latin1");
      writeFileSync(program, bytes);
      const { digest } = digestFile(program);
      writeFileSync(join(bundle, "SHA256SUMS"), `${digest}  bin/${program.slice(program.lastIndexOf("/") + 1)}\n`);
    };
    needing("libstdc++.so.6", "libstdc++.so.7");
    assert.match(said(), /^error RUNTIME: libstdc\+\+\.so\.6 is missing or too old$/);
    needing("GLIBC_2.28", "GLIBC_2.98");
    assert.match(said(), /^error RUNTIME: glibc [\d.]+ is too old, the installer needs 2\.98 or newer$/);
    needing("GLIBC_2.28", "GLIBC_2.28");
    chmodSync(program, 0o644);
    assert.match(said(), /^error NOEXEC: .* is not executable$/);
    chmodSync(program, 0o755);
    execFileSync("mount", ["--bind", bundle, bundle]);
    try {
      execFileSync("mount", ["-o", "remount,bind,noexec", bundle]);
      const { status, stderr } = spawnSync("sh", [join(bundle, "install"), "--version"], { encoding: "utf8" });
      assert.equal(status, 6);
      assert.match(stderr, /^error NOEXEC: .* is on a file system mounted noexec$/m);
    } finally {
      execFileSync("umount", [bundle]);
    }
    assert.equal(spawnSync(join(bundle, "install"), ["--version"], { encoding: "utf8" }).status, 0);
  },
);

test("the launcher says in one line what is missing", () => {
  requirePackages("util-linux");
  const bundle = join(folder, "empty");
  execFileSync("mkdir", ["-p", bundle]);
  execFileSync("cp", [join(dist, "install"), bundle]);
  const none = spawnSync(join(bundle, "install"), ["--version"], { encoding: "utf8" });
  assert.equal(none.status, 6);
  assert.match(none.stderr, /this bundle has no installer for linux-/);
  assert.ok(!existsSync(join(bundle, "bin")));
});
