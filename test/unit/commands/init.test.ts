import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadClusterAndRelease } from "../../../builder/config/load.ts";
import { runKubeferry } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-init-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("init writes a cluster with Kubernetes; the distribution's release only where it is asked for", async () => {
  const path = join(folder, "cluster.yaml");
  assert.equal((await runKubeferry(["init", "-o", path])).code, 0);
  assert.match((await loadClusterAndRelease(path)).cluster.release, /^kubernetes-1\.\d+$/);
  const distro = await runKubeferry(["init", "--release", "distro"]);
  assert.match(distro.out, /^release: distro$/m);
});

test("init refuses what build would refuse, all of it, and writes nothing", async () => {
  const path = join(folder, "bad.yaml");
  const ran = await runKubeferry([
    "init",
    "--name",
    "Plant 7",
    "--node",
    "n1=0.0.0.0:etcd,master",
    "--pods",
    "10.0.0.0",
    "-o",
    path,
  ]);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /RFC 1123[\s\S]*IPv4 or IPv6 network/);
  assert.equal(existsSync(path), false);
  assert.match((await runKubeferry(["init", "--release", "kubernetes-1.99"])).err, /there is no release/);
  assert.match((await runKubeferry(["init", "--runtime", "podman"])).err, /containerd, docker/);
});

test("init never overwrites", async () => {
  const path = join(folder, "mine.yaml");
  writeFileSync(path, "mine");
  assert.equal((await runKubeferry(["init", "-o", path])).code, 2);
  assert.equal(readFileSync(path, "utf8"), "mine");
});
