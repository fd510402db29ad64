import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runKubeferry } from "../../programs/command.ts";
import { standInCluster } from "../../fakes/stand-in-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-node-names-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a node named by its FQDN goes all the way into a bundle: its secrets, its certificates, its kubelet's name", async () => {
  const cluster = await standInCluster(folder);
  writeFileSync(cluster.config, readFileSync(cluster.config, "utf8").replace("name: n1,", "name: n1.plant-7.example,"));
  const bundle = join(folder, "fqdn.tar");
  const built = await runKubeferry(["build", cluster.config, ...cluster.store, ...cluster.installers, "-o", bundle]);
  assert.equal(built.code, 0, built.err);
  const verified = await runKubeferry(["verify", bundle]);
  assert.equal(verified.code, 0, verified.err);
  const certificates = await runKubeferry(["certs", bundle]);
  assert.match(certificates.out, /^n1\.plant-7\.example .*etcd.*10\.0\.0\.11.*n1\.plant-7\.example/m);
  const rendered = join(folder, "rendered");
  assert.equal((await runKubeferry(["render", cluster.config, ...cluster.store, "-o", rendered])).code, 0);
  const unit = readFileSync(join(rendered, "worker/etc/systemd/system/kubelet.service"), "utf8");
  assert.match(unit, /--hostname-override=n1\.plant-7\.example /);
});
