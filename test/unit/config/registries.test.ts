import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { parseCluster } from "../../../builder/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-registry-rules-"));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "login"), "someone:hidden\nand more\n");

const cluster = (runtime: string, registries: string): string => `
name: plant-7
release: kubernetes-1.16
runtime: ${runtime}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
registries:
  ${registries}
`;

test("what a runtime cannot be told of registries is refused, and no file's content is in the words", async () => {
  const cases = [
    ["containerd", "registry.plant: { ca: absent }", /cannot read absent/],
    ["containerd", "registry.plant: { ca: login }", /login holds no certificate in PEM/],
    ["containerd", "registry.plant: { credentials: login }", /login wants one line, user:password/],
    ["containerd", '"*": { insecure: true }', /\* is any registry/],
    ["containerd", '"registry.plant/team": {}', /wants HOST or HOST:PORT, or \*/],
    ["containerd", '"docker.io": { mirrors: [registry.plant] }', /wants https:\/\/HOST/],
    ["docker", '"quay.io": { mirrors: ["https://registry.plant"] }', /docker knows mirrors of docker\.io only/],
    ["docker", '"docker.io": { mirrors: ["https://registry.plant/v2/proxy"] }', /docker takes no mirror with a path/],
  ] as const;
  for (const [runtime, registries, message] of cases) {
    await assert.rejects(parseCluster(join(folder, "cluster.yaml"), cluster(runtime, registries)), (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"), String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  }
});
