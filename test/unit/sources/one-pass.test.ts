/** Whatever is fetched is read once: the kernel counts the bytes that this process read, from sockets and files alike. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { HttpClient } from "../../../builder/http/client.ts";
import { fetchRelease } from "../../../builder/sources/fetch.ts";
import type { Lock } from "../../../builder/lock/lock.ts";
import { createRegistrySource } from "../../../builder/sources/oci/registry.ts";
import { openSource } from "../../../builder/sources/oci/pull.ts";
import { Store } from "../../../builder/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-pass-"));
const reporter = createReporter({ out: { write: () => true }, err: { write: () => true } });
/** Incompressible, so that an archive of it is as large. */
const content = randomBytes(16_000_000);
const served = new Map<string, Buffer>();
const server = createServer((request, response) =>
  response.end(served.get((request.url ?? "").split("/").pop() ?? "")),
);
let url = "";
let archive = "";

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  writeFileSync(join(folder, "tool"), content);
  archive = join(folder, "tool.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", folder, "tool"]);
  served
    .set("tool", content)
    .set("tool.tar.gz", readFileSync(archive))
    .set(`sha256:${digestOf(content)}`, content);
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

/** How often the 16 MB were read. */
async function passes(work: () => Promise<unknown>): Promise<number> {
  const read = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
  const start = read();
  await work();
  return Math.round((read() - start) / content.length);
}

const newStore = async (): Promise<Store> => await Store.open(mkdtempSync(join(folder, "store-")));

async function fetchTool(resolved: string, algorithm: "sha256" | "sha512", wanted: string): Promise<void> {
  const name = resolved.split("/").pop() ?? "";
  const sum = createHash(algorithm)
    .update(served.get(name) ?? "")
    .digest("hex");
  const store = await newStore();
  const artifact: Lock["artifacts"][0] = {
    component: "tool",
    version: "1",
    platform: "linux/amd64",
    from: resolved,
    resolved,
    mirrors: [],
    digest: `${algorithm}:${sum}`,
    size: null,
    pinnedBy: "operator",
    files: { [wanted]: "tool" },
  };
  const lock: Lock = {
    version: 1,
    release: "test",
    manifest: "",
    platforms: ["linux/amd64"],
    locked: "2026-01-01",
    artifacts: [artifact],
    images: [],
    packages: [],
    requests: [],
  };
  const [found] = await fetchRelease({ lock, store, mirrors: [], offline: false, reporter });
  assert.equal(found?.digest, digestOf(content));
  assert.equal(statSync(store.path(found.digest)).size, content.length);
}

for (const algorithm of ["sha256", "sha512"] as const) {
  test(`a program is downloaded, hashed (${algorithm}) and stored in one pass`, async () => {
    assert.equal(await passes(async () => await fetchTool(`${url}/tool`, algorithm, ".")), 1);
  });

  test(`a program in a folder is hashed (${algorithm}) and stored in one pass`, async () => {
    assert.equal(await passes(async () => await fetchTool(`file:${join(folder, "tool")}`, algorithm, ".")), 1);
  });

  test(`an archive is downloaded, hashed (${algorithm}) and unpacked in one pass`, async () => {
    assert.equal(await passes(async () => await fetchTool(`${url}/tool.tar.gz`, algorithm, "tool")), 1);
  });
}

test("a layer is downloaded, hashed and stored in one pass", async () => {
  const store = await newStore();
  await using http = new HttpClient();
  const host = new URL(url).host;
  const source = createRegistrySource({ domain: host, repository: "a", tag: "1", digest: null }, { http, store });
  const [digest, size] = [digestOf(content), content.length];
  const keep = async (): Promise<unknown> =>
    await source.open({ mediaType: "", digest, size }, async ({ bytes, file }) => {
      await store.put(bytes, { digest, size, file });
    });
  assert.equal(await passes(keep), 1);
  assert.equal(await store.has(digest), true);
});

test("what an archive of docker save has is found without reading its layers", async () => {
  const config = JSON.stringify({ rootfs: { diff_ids: [`sha256:${digestOf(content)}`] } });
  mkdirSync(join(folder, "image/one"), { recursive: true });
  writeFileSync(join(folder, "image/one/layer.tar"), content);
  writeFileSync(join(folder, "image/config.json"), config);
  const image = { Config: "config.json", RepoTags: ["x.io/a:1"], Layers: ["one/layer.tar"] };
  writeFileSync(join(folder, "image/manifest.json"), JSON.stringify([image]));
  const path = join(folder, "image.tar");
  execFileSync("tar", ["-cf", path, "-C", join(folder, "image"), "one", "config.json", "manifest.json"]);
  await using http = new HttpClient();
  const source = openSource("x.io/a:1", { from: `docker-archive:${path}`, http, store: await newStore() });
  assert.equal(await passes(async () => await source.resolve("1")), 0);
});
