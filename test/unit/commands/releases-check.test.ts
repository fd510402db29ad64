/** `releases --check`, asked of an upstream on loopback that has some patches and not others. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runKubeferry } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-check-"));
const release = join(folder, "plant.yaml");
const files = new Set([
  "/etcd-v3.5.33.sum",
  "/etcd-v3.5.34.sum",
  "/etcd-v3.5.36.sum",
  "/etcd-v3.5.40.sum",
  "/runc-1.4.1.sum",
]);
let broken = "";
const server = createServer(({ url = "" }, response) => {
  response.writeHead(url === broken ? 401 : files.has(url) ? 200 : 404);
  response.end(`${"a".repeat(64)}\n`);
});

before(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const component = (name: string, version: string, more: string): string => `
  - name: ${name}
    version: ${version}
    roles: [etcd]
    artifacts:
      - { platform: linux/amd64, from: "${url}/${name}", ${more}, files: { .: ${name} } }`;
  writeFileSync(
    release,
    `release: plant
description: of the plant
generation: distro
kubernetes: null
components:${component("etcd", "3.5.33", `checksum: "${url}/etcd-v3.5.33.sum"`)}${component(
      "runc",
      "1.4.1",
      `checksum: "${url}/runc-1.4.1.sum"`,
    )}${component("tool", "1.0.0", `digest: "sha256:${"b".repeat(64)}"`)}
images: []
`,
  );
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test("the newest patch is found past a gap, and what cannot be asked is said", async () => {
  const ran = await runKubeferry(["releases", release, "--check", "--json"]);
  assert.equal(ran.code, 0, ran.err);
  const records = ran.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    records
      .filter(({ type }) => type === "pinned")
      .map(({ component, version, newest }) => [component, version, newest]),
    [
      // 3.5.35 is left out; 3.5.40 lies beyond what is asked.
      ["etcd", "3.5.33", "3.5.36"],
      ["runc", "1.4.1", "1.4.1"],
      ["tool", "1.0.0", null],
    ],
  );
  const text = await runKubeferry(["releases", release, "--check"]);
  assert.match(text.out + text.err, /etcd 3\.5\.33 has 3\.5\.36 {2}\(plant\)\n.*runc 1\.4\.1 is the newest patch/);
});

test("a server that answers neither yes nor no is an error, not `nothing newer`", async () => {
  broken = "/runc-1.4.2.sum";
  const ran = await runKubeferry(["releases", release, "--check"]);
  assert.equal(ran.code, 4, ran.out);
  assert.match(ran.err, /runc-1\.4\.2\.sum/);
});
