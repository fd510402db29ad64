/** A mirror brings bytes. What the bytes should be, upstream says; where it cannot be asked the lock says who did. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { clusterSchema } from "../../../builder/config/cluster.ts";
import { releaseManifest } from "../../../builder/config/release.ts";
import { Store } from "../../../builder/store/store.ts";
import { HttpClient } from "../../../builder/http/client.ts";
import { resolveImage } from "../../../builder/sources/oci/pull.ts";
import type { Lock } from "../../../builder/lock/lock.ts";
import { resolveLock } from "../../../builder/sources/resolve.ts";
import { serveFiles } from "../../servers/file-server.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-mirror-"));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});
const warned: string[] = [];
const reporter = createReporter({ out: { write: () => true }, err: { write: (text) => warned.push(text) } });

/** `http://127.0.0.1:PORT` that serves these paths. */
async function serve(paths: Readonly<Record<string, string>>): Promise<string> {
  const { server, url } = await serveFiles(paths);
  servers.push(server);
  return url;
}

/** An address where nobody listens. */
async function silence(): Promise<string> {
  const url = await serve({});
  const server = servers.pop();
  server?.close();
  return url;
}

const sums = (text: string): string => `${digestOf(text)}  tool\n`;

async function lockWith(upstream: string, mirrors: readonly string[], offline = false): Promise<Lock["artifacts"][0]> {
  const artifact = {
    platform: "linux/amd64",
    from: `${upstream}/tool`,
    checksum: `${upstream}/SHA256SUMS`,
    files: { ".": "tool" },
  };
  const component = { name: "tool", version: "1", roles: ["worker"], artifacts: [artifact] };
  const nodes = [{ name: "n1", ip: "10.0.0.11", roles: ["etcd", "worker"] }];
  const made = await resolveLock({
    cluster: clusterSchema.parse({ name: "t", release: "test", nodes }),
    manifest: releaseManifest.parse({
      release: "test",
      description: "x",
      generation: "distro",
      kubernetes: null,
      components: [component],
    }),
    manifestDigest: "0".repeat(64),
    now: new Date("2026-11-21T00:00:00Z"),
    cache: mkdtempSync(join(folder, "cache-")),
    mirrors,
    offline,
    reporter,
    http: { attempts: 1, backoffMs: 1 },
  });
  const [one] = made.artifacts;
  assert.ok(one);
  return one;
}

test("an evil mirror's checksum is not believed where upstream publishes one", async () => {
  const upstream = await serve({ "/tool": "the tool", "/SHA256SUMS": sums("the tool") });
  const mirror = await serve({ "/tool": "an evil tool", "/SHA256SUMS": sums("an evil tool") });
  const { digest, pinnedBy } = await lockWith(upstream, [mirror]);
  assert.deepEqual([digest, pinnedBy], [`sha256:${digestOf("the tool")}`, "upstream"]);
});

test("where upstream cannot be asked, or offline, the lock says that a mirror pinned it", async () => {
  const mirror = await serve({ "/tool": "the mirror's tool", "/SHA256SUMS": sums("the mirror's tool") });
  const wanted = [`sha256:${digestOf("the mirror's tool")}`, "mirror"];
  warned.length = 0;
  const { digest, pinnedBy } = await lockWith(await silence(), [mirror]);
  assert.deepEqual([digest, pinnedBy], wanted);
  assert.match(warned.join(""), /SHA256SUMS is a mirror's copy/);
  const local = join(folder, "mirror");
  mkdirSync(local);
  writeFileSync(join(local, "SHA256SUMS"), sums("the mirror's tool"));
  const offline = await lockWith(await silence(), [local], true);
  assert.deepEqual([offline.digest, offline.pinnedBy], wanted);
  await assert.rejects(lockWith(await silence(), []), { code: "UNREACHABLE" });
});

/** Paths of a registry whose tag 1.0 is an image with this layer's text. */
function imageOf(text: string): Record<string, string> {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${digestOf(text)}`] },
  });
  const of = (bytes: string): object => ({ digest: `sha256:${digestOf(bytes)}`, size: bytes.length });
  const oci = "application/vnd.oci.image";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, ...of(config) },
    layers: [{ mediaType: `${oci}.layer.v1.tar`, ...of(text) }],
  });
  return {
    "/v2/a/b/manifests/1.0": manifest,
    [`/v2/a/b/manifests/sha256:${digestOf(manifest)}`]: manifest,
    [`/v2/a/b/blobs/sha256:${digestOf(config)}`]: config,
    [`/v2/a/b/blobs/sha256:${digestOf(text)}`]: text,
  };
}

test("which manifest a tag is, its own registry says, and a mirror only where that cannot be asked", async () => {
  await using http = new HttpClient({ attempts: 1, backoffMs: 1 });
  const store = await Store.open(join(folder, "images"));
  const [good, evil] = [imageOf("good"), imageOf("evil")];
  const digest = (image: Record<string, string>): string => `sha256:${digestOf(image["/v2/a/b/manifests/1.0"] ?? "")}`;
  const [own, mirror, down] = [await serve(good), await serve(evil), await silence()];
  const resolve = async (registry: string): Promise<[string, string]> => {
    const domain = registry.replace("http://", "");
    const mirrors = { [domain]: [mirror] };
    const locked = await resolveImage(`${domain}/a/b:1.0`, "linux/amd64", { http, store, mirrors });
    return [locked.resolved, locked.pinnedBy];
  };
  assert.deepEqual(await resolve(own), [digest(good), "upstream"]);
  assert.deepEqual(await resolve(down), [digest(evil), "mirror"]);
});
