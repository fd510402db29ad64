/** `apt:` artifacts by the machine's own apt, as an operator types it: no root, no mirror's name in the lock, both architectures. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestFile } from "#bundle";
import { createAptSource } from "../../builder/sources/apt/programs.ts";
import { Store } from "../../builder/store/store.ts";
import { readLock } from "../../builder/lock/lock-file.ts";
import { ensureBuilt, kubeferry as executable } from "../builders/dist.ts";

const nobody = 65534;
const root = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-apt-"));
after(() => rmSync(folder, { recursive: true }));

const config = join(folder, "cluster.yaml");
const lockPath = join(folder, "cluster.lock");
const cache = join(folder, "cache");
const artifact = (platform: string): string =>
  `      - { platform: ${platform}, from: "apt:tini", files: { usr/bin/tini-static: docker-init } }`;
writeFileSync(
  join(folder, "release.yaml"),
  `release: tini
description: one small package
generation: distro
kubernetes: null
components:
  - name: tini
    roles: [etcd]
    artifacts:
${artifact("linux/amd64")}
${artifact("linux/arm64")}
`,
);
writeFileSync(
  config,
  `name: t
release: ${join(folder, "release.yaml")}
platforms: [linux/amd64, linux/arm64]
nodes: [{ name: n1, ip: 10.0.0.11, roles: [etcd] }]
`,
);
if (root) chownSync(folder, nobody, nobody);
// A copy: this checkout may be where only its owner can read.
ensureBuilt();
const program = join(folder, "kubeferry");
copyFileSync(executable, program);

function kubeferry(
  command: string,
  options: readonly string[] = [],
  path = process.env["PATH"] ?? "",
): { code: number | null; text: string } {
  const words = [command, config, ...(options.includes("--cache") ? [] : ["--cache", cache]), ...options];
  const result = spawnSync(program, words, {
    encoding: "utf8",
    env: { PATH: path, HOME: folder },
    ...(root ? { uid: nobody, gid: nobody } : {}),
  });
  return { code: result.status, text: result.stdout + result.stderr };
}

test("lock resolves a package for both architectures without root, and names no mirror", async () => {
  const { code, text } = kubeferry("lock");
  assert.equal(code, 0, text);
  const lock = await readLock(lockPath);
  assert.deepEqual(
    lock?.artifacts.map(({ platform, pinnedBy }) => [platform, pinnedBy]),
    [
      ["linux/amd64", "distribution"],
      ["linux/arm64", "distribution"],
    ],
  );
  for (const one of lock?.artifacts ?? []) {
    assert.equal(one.resolved, `apt:tini=${one.version}`);
    assert.match(one.version, /^0\.\d+/);
    assert.ok(one.size !== null && one.size > 10_000);
  }
  assert.doesNotMatch(readFileSync(lockPath, "utf8"), /https?:/);
});

test("fetch takes each architecture's own file out of its package, and needs no network afterwards", async () => {
  const { code, text } = kubeferry("fetch");
  assert.equal(code, 0, text);
  const machines = await Promise.all(readdirSync(join(cache, "members")).map((name) => machineOf(name)));
  // e_machine of ELF: 62 is x86-64, 183 is aarch64.
  assert.deepEqual(
    machines.toSorted((a, b) => a - b),
    [62, 183],
  );
  assert.deepEqual(readdirSync(join(cache, "temporary")), []);
  rmSync(join(cache, "apt"), { recursive: true });
  const again = kubeferry("fetch", ["--offline"]);
  assert.equal(again.code, 0, again.text);
});

async function machineOf(record: string): Promise<number> {
  const digest = /"digest":"([0-9a-f]{64})"/.exec(readFileSync(join(cache, "members", record), "utf8"))?.[1] ?? "";
  const store = await Store.open(cache);
  assert.equal(digestFile(store.path(digest)).digest, digest);
  return readFileSync(store.path(digest)).readUInt16LE(18);
}

test("a folder of packages stands in for the distribution, but not with another byte", async () => {
  const lock = await readLock(lockPath);
  const mirror = join(folder, "mirror");
  mkdirSync(mirror);
  const apt = createAptSource(join(folder, "apt"));
  for (const { version, platform } of lock?.artifacts ?? []) {
    const architecture = platform.slice("linux/".length);
    await apt.open({ name: "tini", version, architecture }, async ({ bytes }) => {
      await writeFile(join(mirror, `tini_${version}_${architecture}.deb`), bytes);
    });
  }
  const good = kubeferry("fetch", ["--cache", join(folder, "second"), "--offline", "--mirror", mirror]);
  assert.equal(good.code, 0, good.text);
  const victim = join(mirror, readdirSync(mirror).find((name) => name.endsWith("_amd64.deb")) ?? "");
  const bytes = readFileSync(victim);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(victim, bytes);
  const bad = kubeferry("fetch", ["--cache", join(folder, "third"), "--offline", "--mirror", mirror]);
  assert.equal(bad.code, 5, bad.text);
  assert.match(bad.text, /DIGEST_MISMATCH/);
  assert.ok(bad.text.includes(victim));
});

test("a package that the distribution does not have is named", () => {
  const release = join(folder, "release.yaml");
  const text = readFileSync(release, "utf8");
  writeFileSync(release, text.replaceAll("apt:tini", "apt:no-such-package-anywhere"));
  const { code, text: said } = kubeferry("lock", ["--update"]);
  writeFileSync(release, text);
  assert.equal(code, 4, said);
  assert.match(said, /PACKAGE_UNAVAILABLE.*no-such-package-anywhere/);
});

test("a machine without apt is told so, with what to do", () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync("/usr/bin/env", join(bin, "env"));
  const { code, text } = kubeferry("lock", ["--update"], bin);
  assert.equal(code, 4, text);
  assert.match(text, /TOOL_MISSING/);
  assert.match(text, /next: .*--release/);
});
