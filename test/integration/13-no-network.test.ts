/** A bundle needs nobody: packed launcher and installer do all their work where there is no network interface that is up. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ensureBuilt, kubeferry } from "../builders/dist.ts";
import { requirePackages } from "../programs/packages.ts";
import { pictureOf } from "../programs/tree.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-alone-"));
const root = join(folder, "root");
const unpacked = join(folder, "unpacked");
const tar = join(folder, "alone.tar");
const cluster = `name: alone
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
`;

before(() => {
  requirePackages("util-linux", "iproute2");
  ensureBuilt();
  writeFileSync(join(folder, "cluster.yaml"), cluster);
  const built = spawnSync(kubeferry, ["build", join(folder, "cluster.yaml"), "-o", tar], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  mkdirSync(unpacked);
  assert.equal(spawnSync("tar", ["-xf", tar, "-C", unpacked]).status, 0);
  for (const path of ["etc", "var/lib", "usr/local/bin"]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "etc/fstab"), "/dev/vda2 none swap sw 0 0\n");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** In a network namespace of its own, in which even loopback is down. */
function alone(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync("unshare", ["--net", "--", ...argv], { encoding: "utf8" });
  assert.equal(status, 0, `${argv.join(" ")}\n${stdout}${stderr}`);
  return `${stdout}\n${stderr}`;
}

test("in the namespace nobody can be reached, not even this machine", () => {
  assert.match(alone("ip", "-brief", "link"), /^lo +DOWN .*\n\s*$/);
  const refused = spawnSync("unshare", ["--net", "--", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"], {
    encoding: "utf8",
  });
  assert.match(refused.stderr, /Network is unreachable/);
});

test("verify, dry-run, install, audit and undo need no network, from the folder and from the tar", () => {
  const install = join(unpacked, "install");
  const before = pictureOf(root);
  alone(kubeferry, "verify", tar);
  alone(install, "verify");
  for (const bundle of [[], ["--bundle", tar]]) {
    const select = ["--role", "etcd,worker", "--ip", "10.0.0.11", "--root", root, "--key", join(folder, "alone.keys")];
    assert.match(alone(install, ...bundle, ...select, "--dry-run"), /write .*\/usr\/local\/bin\/etcd /);
    assert.deepEqual(pictureOf(root), before);
    alone(install, ...bundle, ...select, "--yes");
    assert.ok("usr/local/bin/etcd" in pictureOf(root));
    assert.match(alone(install, "audit", "--root", root), /all is what was installed/);
    alone(install, "undo", "--root", root, "--yes");
    assert.deepEqual(pictureOf(root), before);
  }
});
