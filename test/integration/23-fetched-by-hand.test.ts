/**
 * What `lock --list` names, fetched by the distribution's aria2 and skopeo and taken by `lock --from`: then a build needs no
 * network. Real servers, which are stopped before the end.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { digestOf } from "#bundle";
import { imageFolder } from "../../builder/config/image-name.ts";
import { runKubeferry } from "../programs/command.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { requirePackages } from "../programs/packages.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-by-hand-"));
const config = join(folder, "cluster.yaml");
const carried = join(folder, "carried");
const files: Record<string, string> = { "/etcd-v3/etcd": "not etcd\n", "/tool 1/tool": "not a tool\n" };
const sums = `${digestOf(files["/tool 1/tool"] ?? "")}  tool\n`;
let server: Server;
let registry: Registry;
let image: string;

before(async () => {
  requirePackages("aria2", "skopeo");
  mkdirSync(carried);
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const body = path === "/SHA256SUMS" ? sums : files[path];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  registry = await startRegistry(folder);
  image = `${registry.host}/apps/hello:1.2`;
  const layout = join(folder, "layout");
  writeLayout(layout, "1.2", [
    { platform: "linux/amd64", layers: [{ hello: "amd64" }] },
    { platform: "linux/arm64", layers: [{ hello: "arm64" }] },
  ]);
  skopeo("copy", "--all", `oci:${layout}:1.2`, `docker://${image}`, "--dest-tls-verify=false");
  const release = {
    release: "by-hand",
    description: "two files and an image",
    generation: "distro",
    kubernetes: null,
    components: [
      {
        name: "etcd",
        version: "3",
        roles: ["etcd"],
        artifacts: [
          {
            platform: "linux/amd64",
            from: `${origin}/etcd-v3/etcd`,
            digest: `sha256:${digestOf(files["/etcd-v3/etcd"] ?? "")}`,
            files: { ".": "etcd" },
          },
        ],
      },
      {
        name: "tool",
        version: "1",
        roles: ["etcd"],
        artifacts: [
          {
            platform: "linux/amd64",
            from: `${origin}/tool%201/tool`,
            checksum: `${origin}/SHA256SUMS`,
            files: { ".": "tool" },
          },
        ],
      },
    ],
  };
  writeFileSync(join(folder, "release.yaml"), JSON.stringify(release));
  const nodes = [{ name: "n1", ip: "10.0.0.11", roles: ["etcd"] }];
  const images = [{ name: image, roles: ["etcd"] }];
  writeFileSync(config, JSON.stringify({ name: "c", release: "./release.yaml", nodes, images }));
});
after(async () => {
  await registry.stop();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

// Not the synchronous one: the server that aria2 asks is this very process.
const runs = promisify(execFile);

async function kubeferry(...argv: string[]): Promise<{ out: string; err: string; code: number }> {
  return await runKubeferry([...argv, "--cache", join(folder, "store")]);
}

test("aria2 and skopeo take their lists as they are, and what they bring is what lock --from wants", async () => {
  const aria2 = await kubeferry("lock", "--list", "--format", "aria2", config);
  assert.equal(aria2.code, 0, aria2.err);
  const list = join(folder, "files.txt");
  writeFileSync(list, aria2.out);
  await runs("aria2c", ["-q", "--no-conf", "-d", carried, "-i", list], { timeout: 60_000 });
  const lines = (await kubeferry("lock", "--list", "--format", "skopeo", config)).out.trim().split("\n");
  assert.equal(lines.length, 1);
  for (const line of lines) {
    // The registry of this test speaks plain HTTP; everything else is the line as it was printed.
    const args = [...line.split(" "), "--src-tls-verify=false"];
    await runs("skopeo", args, { cwd: carried, timeout: 60_000 });
  }
  const taken = await kubeferry("lock", "--from", carried, config);
  assert.equal(taken.code, 0, taken.err);
  const lock = readFileSync(join(folder, "cluster.lock"), "utf8");
  assert.match(lock, new RegExp(`sha256:${digestOf(files["/tool 1/tool"] ?? "")}\\n.*\\n +pinnedBy: operator`));
  assert.doesNotMatch(lock, /carried/);
});

test("after that no server is asked, and the list is that of the lock", async () => {
  server.close();
  const fetched = await kubeferry("fetch", "--offline", config);
  assert.equal(fetched.code, 0, fetched.err);
  const again = await kubeferry("lock", config);
  assert.match(again.out, /is there and fits/);
  const { out } = await kubeferry("lock", "--list", "--json", config);
  const items = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; kind: string; digest: string | null });
  assert.deepEqual(
    items.map(({ type, kind, digest }) => [type, kind, digest?.slice(0, 7)]),
    [
      ["item", "artifact", "sha256:"],
      ["item", "artifact", "sha256:"],
      ["item", "image", "sha256:"],
      ["end", undefined, undefined],
    ],
  );
});

test("everything that a folder lacks is named at once", async () => {
  rmSync(join(carried, imageFolder(image)), { recursive: true });
  rmSync(join(carried, "127.0.0.1"), { recursive: true, force: true });
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const ran = await runKubeferry(["lock", "--update", "--from", empty, config, "--cache", join(folder, "other-store")]);
  assert.equal(ran.code, 3);
  assert.match(ran.err, /SHA256SUMS is not there[\s\S]*apps\/hello/);
  const fetched = await runKubeferry(["fetch", "--offline", config, "--cache", join(folder, "other-store")]);
  assert.equal(fetched.code, 4);
  assert.match(fetched.err, /3 things are missing/);
  assert.match(fetched.err, /etcd-v3\/etcd[\s\S]*tool%201\/tool[\s\S]*apps\/hello:1\.2/);
});
