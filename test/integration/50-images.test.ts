/** Images from a real registry: the bytes are skopeo's, wrong ones are caught, and the archive is one that others read. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { request } from "undici";
import { digestOf } from "#bundle";
import { isExpected } from "#cli/errors";
import { HttpClient } from "../../builder/http/client.ts";
import { pullImage, resolveImage } from "../../builder/sources/oci/pull.ts";
import { writeImageArchive } from "../../builder/pack/images.ts";
import { listStore } from "../../builder/store/upkeep.ts";
import { Store } from "../../builder/store/store.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-images-"));
const layout = join(folder, "layout");
const shared = { "base.txt": "a layer that two platforms and two images share\n".repeat(500) };
const http = new HttpClient();
let registry: Registry;
let index = "";
let image = "";

before(async () => {
  registry = await startRegistry(folder);
  index = writeLayout(layout, "1.0", [
    { platform: "linux/amd64", layers: [shared, { hello: "amd64\n" }] },
    { platform: "linux/arm64/v8", layers: [shared, { hello: "arm64\n" }] },
    { platform: "linux/arm/v7", layers: [shared, { hello: "arm\n" }] },
  ]);
  image = `${registry.host}/team/hello:1.0`;
  skopeo("copy", "--all", "--dest-tls-verify=false", `oci:${layout}:1.0`, `docker://${image}`);
});
after(async () => {
  await http[Symbol.asyncDispose]();
  await registry.stop();
  rmSync(folder, { recursive: true });
});

test("a tag is pinned to the platform's manifest, and the pulled blobs are skopeo's, byte for byte", async () => {
  for (const platform of ["linux/amd64", "linux/arm64"] as const) {
    const store = await Store.open(join(folder, `store-${platform.replace("/", "-")}`));
    const locked = await resolveImage(image, platform, { http, store });
    assert.equal(locked.resolved, index);
    await pullImage(locked, { http, store });
    const copy = join(folder, `skopeo-${platform.replace("/", "-")}`);
    const arch = platform.slice(6);
    skopeo(`--override-arch=${arch}`, "copy", "--src-tls-verify=false", `docker://${image}`, `oci:${copy}:1.0`);
    const theirs = readdirSync(join(copy, "blobs/sha256")).toSorted();
    assert.deepEqual(
      listStore(store).map(({ digest }) => digest),
      theirs,
    );
    assert.ok(theirs.includes(locked.digest.slice(7)));
    for (const name of theirs) {
      assert.ok(readFileSync(store.path(name)).equals(readFileSync(join(copy, "blobs/sha256", name))));
    }
  }
});

test("docker's own media types are taken as well", async () => {
  const name = `${registry.host}/team/docker:1.0`;
  skopeo("copy", "--format=v2s2", "--dest-tls-verify=false", `oci:${layout}:1.0`, `docker://${name}`);
  const store = await Store.open(join(folder, "store-docker"));
  const locked = await resolveImage(name, "linux/amd64", { http, store });
  const pulled = await pullImage(locked, { http, store });
  assert.equal(pulled.manifest.mediaType, "application/vnd.docker.distribution.manifest.v2+json");
  assert.equal(locked.digest, locked.resolved);
});

test("a layer that two images share is stored once, and asked for once", async () => {
  const store = await Store.open(join(folder, "store-both"));
  const both = [];
  for (const platform of ["linux/amd64", "linux/arm64"] as const) {
    both.push(await pullImage(await resolveImage(image, platform, { http, store }), { http, store }));
  }
  const layers = both.flatMap((one) => one.layers.map(({ digest }) => digest));
  assert.equal(layers.length, 4);
  assert.equal(new Set(layers).size, 3);
  // Two manifests, two configurations, three layers.
  assert.equal(listStore(store).map(({ digest }) => digest).length, 7);
});

test("the bundle's archive is read by skopeo as an OCI layout and as a docker archive, and is the same each time", async () => {
  const store = await Store.open(join(folder, "store-archive"));
  const locked = await resolveImage(image, "linux/amd64", { http, store });
  const pulled = await pullImage(locked, { http, store });
  const first = await writeImageArchive([pulled], store);
  assert.deepEqual(await writeImageArchive([pulled], store), first);
  const archive = store.path(first.digest);
  assert.equal(digestOf(skopeo("inspect", "--raw", `oci-archive:${archive}`)), locked.digest.slice(7));
  const config = JSON.parse(skopeo("inspect", "--config", `docker-archive:${archive}`)) as { architecture: string };
  assert.equal(config.architecture, "amd64");
  const listed = execFileSync("tar", ["-tvf", archive], { encoding: "utf8" });
  assert.match(listed, /^-rw-r--r-- (root\/root|0\/0) .* 1970-01-01 .* index\.json$/m);
});

test("a local layout and a docker archive give the very same layers", async () => {
  const store = await Store.open(join(folder, "store-local"));
  const name = "example.org/team/hello:1.0";
  const local = await resolveImage(name, "linux/amd64", { http, store, from: `oci:${layout}:1.0` });
  assert.equal(local.resolved, index);
  const pulled = await pullImage(local, { http, store });
  const file = join(folder, "saved.tar");
  skopeo("copy", `oci:${layout}:1.0`, `docker-archive:${file}:${name}`);
  const saved = await resolveImage(name, "linux/amd64", { http, store, from: `docker-archive:${file}` });
  const unpacked = await pullImage(saved, { http, store });
  assert.deepEqual(unpacked.config.digest, pulled.config.digest);
  assert.deepEqual(await resolveImage(name, "linux/amd64", { http, store, from: `docker-archive:${file}` }), saved);
  const archive = await writeImageArchive([unpacked], store);
  assert.equal(
    digestOf(skopeo("inspect", "--raw", `oci-archive:${store.path(archive.digest)}`)),
    saved.digest.slice(7),
  );
});

test("a registry that serves another blob is caught, and nothing of it is stored", async () => {
  const store = await Store.open(join(folder, "store-flipped"));
  const locked = await resolveImage(image, "linux/amd64", { http, store });
  const proxy = createServer((incoming, outgoing) => {
    void request(`http://${registry.host}${incoming.url ?? ""}`, { headers: { accept: incoming.headers.accept ?? "" } })
      .then(async ({ statusCode, headers, body }) => {
        const bytes = Buffer.from(await body.arrayBuffer());
        const isLayer = (incoming.url ?? "").includes("/blobs/") && bytes[0] === 0x1f;
        if (isLayer) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        outgoing.writeHead(statusCode, { "content-type": String(headers["content-type"]) }).end(bytes);
      })
      .catch(() => outgoing.destroy());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const mirrors = { [registry.host]: [`http://127.0.0.1:${port}`] };
    await assert.rejects(pullImage(locked, { http, store, mirrors }), (error) => isExpected(error, "DIGEST_MISMATCH"));
    assert.ok(
      listStore(store)
        .map(({ digest }) => digest)
        .every((name) => digestOf(readFileSync(store.path(name))) === name),
    );
    // Once the registry is honest again, the same command completes.
    await pullImage(locked, { http, store });
    assert.equal(listStore(store).map(({ digest }) => digest).length, 4);
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});

test("offline, what the store holds is enough, and what it lacks is named", async () => {
  const store = await Store.open(join(folder, "store-offline"));
  const locked = await resolveImage(image, "linux/amd64", { http, store });
  const pulled = await pullImage(locked, { http, store });
  assert.deepEqual(await pullImage(locked, { http, store, offline: true }), pulled);
  rmSync(store.path(pulled.layers[0]?.digest ?? ""));
  await assert.rejects(pullImage(locked, { http, store, offline: true }), (error) => isExpected(error, "OFFLINE"));
});

test("the bundle's archive, unpacked by tar, is an OCI layout", async () => {
  const store = await Store.open(join(folder, "store-unpacked"));
  const pulled = await pullImage(await resolveImage(image, "linux/amd64", { http, store }), { http, store });
  const { digest } = await writeImageArchive([pulled], store);
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["-xf", store.path(digest), "-C", unpacked]);
  assert.equal(skopeo("inspect", "--format={{.Os}}/{{.Architecture}}", `oci:${unpacked}`).trim(), "linux/amd64");
});
