/**
 * Everything that is had by HTTP from one private server: it has a CA of its own, wants a password, and is reached through
 * a proxy that wants one too. An artifact, an image and an rpm package, by the commands as an operator types them.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf } from "#bundle";
import { readLock } from "../../builder/lock/lock-file.ts";
import { Store } from "../../builder/store/store.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { type Nginx, startNginx } from "../servers/nginx.ts";
import { basicUser, makeOwnCa } from "../builders/own-ca.ts";
import { requirePackages } from "../programs/packages.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";
import { buildRpmRepository, signRepository } from "../servers/rpm-repository.ts";
import { type Proxy, startProxy } from "../servers/tinyproxy.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-proxy-"));
const root = join(folder, "root");
const config = join(folder, "cluster.yaml");
let ca = "";
let nginx: Nginx;
let proxy: Proxy;
let registry: Registry;

before(async () => {
  requirePackages("nginx", "openssl");
  mkdirSync(root);
  writeFileSync(join(root, "tool"), "a tool\n");
  buildRpmRepository(join(root, "rpm"), [{ name: "helper", files: { "/usr/bin/helper": "#!/bin/sh" } }]);
  const key = signRepository(join(root, "rpm"), join(folder, "gpg"));
  writeFileSync(join(folder, "base.txt"), "");
  registry = await startRegistry(folder);
  const layout = join(folder, "layout");
  writeLayout(layout, "1.0", [{ platform: "linux/amd64", layers: [{ hello: "hello\n" }] }]);
  skopeo("copy", "--dest-tls-verify=false", `oci:${layout}:1.0`, `docker://${registry.host}/team/hello:1.0`);
  const own = makeOwnCa(join(folder, "ca"));
  ca = own.ca;
  writeFileSync(join(folder, "users"), basicUser("ferry", "a-password"));
  nginx = await startNginx(join(folder, "nginx"), root, {
    tls: own.tls,
    locations: `auth_basic private; auth_basic_user_file ${join(folder, "users")};
      location /v2/ { proxy_pass http://${registry.host}; proxy_set_header Authorization ""; }`,
  });
  proxy = await startProxy(join(folder, "proxy"));
  writeFileSync(
    join(folder, "release.yaml"),
    `release: loopback
description: one tool
generation: distro
kubernetes: null
components:
  - name: tool
    version: "1"
    roles: [etcd]
    artifacts:
      - { platform: linux/amd64, from: "${nginx.url}/tool", digest: "sha256:${digestOf("a tool\n")}", files: { .: tool } }
`,
  );
  writeFileSync(
    config,
    `name: loopback
release: ${join(folder, "release.yaml")}
nodes: [{ name: n1, ip: 10.0.0.11, roles: [etcd] }]
images: [{ name: "localhost:9/team/hello:1.0", roles: [etcd] }]
packages:
  - distribution: rocky 9
    names: [helper]
    base: ${join(folder, "base.txt")}
    repositories: [{ url: "${nginx.url}/rpm", key: "${key}" }]
`,
  );
});
after(async () => {
  await proxy.stop();
  await nginx.close();
  await registry.stop();
  rmSync(folder, { recursive: true });
});

interface Way {
  readonly proxy?: string;
  readonly noProxy?: string;
  readonly ca?: boolean;
  readonly netrc?: boolean;
}

/** `kubeferry COMMAND` in a home of its own, whose store is `home/cache`. */
async function ferry(command: string, home: string, way: Way): Promise<{ code: number; text: string; cache: string }> {
  const place = join(folder, home);
  const cache = join(place, "cache");
  mkdirSync(place, { recursive: true });
  rmSync(join(place, ".netrc"), { force: true });
  if (way.netrc !== false) writeFileSync(join(place, ".netrc"), "machine 127.0.0.1 login ferry password a-password\n");
  const env = {
    PATH: process.env["PATH"],
    HOME: place,
    HTTPS_PROXY: way.proxy ?? proxy.url,
    NO_PROXY: way.noProxy ?? "",
    SSL_CERT_FILE: way.ca === false ? "" : ca,
  };
  const main = join(import.meta.dirname, "../../builder/main.ts");
  const words = [main, command, config, "--cache", cache, "--registry", `localhost:9=${nginx.url}`];
  const child = spawn(process.execPath, words, { env });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  for (const secret of ["a-password", "pr0xied"]) assert.ok(!text.includes(secret), text);
  return { code, text, cache };
}

test("lock and fetch reach artifact, image and package through the proxy, and every one of its tunnels is the server's", async () => {
  const { code, text, cache } = await ferry("fetch", "proxied", {});
  assert.equal(code, 0, text);
  const lock = await readLock(config.replace(".yaml", ".lock"));
  assert.ok(lock !== null);
  assert.deepEqual([lock.artifacts.length, lock.images.length, lock.packages.length], [1, 1, 1]);
  const store = await Store.open(cache);
  for (const { digest } of [...lock.artifacts, ...lock.images, ...lock.packages]) {
    assert.ok(await store.has(digest.slice("sha256:".length)), digest);
  }
  const paths = nginx.asked().map(({ path }) => path);
  for (const part of ["/tool", "/v2/team/hello/manifests/", "/v2/team/hello/blobs/", "/rpm/repodata/", ".noarch.rpm"]) {
    assert.ok(
      paths.some((path) => path.includes(part)),
      `${part} was asked for`,
    );
  }
  // Each of the three has connections of its own, for the lock and again to fetch; none of them went past the proxy.
  const tunnels = proxy.asked();
  assert.ok(tunnels.length >= 5, tunnels.join());
  const direct = await ferry("fetch", "direct", { noProxy: "127.0.0.1" });
  assert.equal(direct.code, 0, direct.text);
  assert.equal(proxy.asked().length, tunnels.length);
});

for (const [what, way, expected] of [
  ["a CA that is not trusted", { ca: false }, /certificate is not trusted[\s\S]*--ca FILE/],
  ["no credentials", { netrc: false }, /UNAUTHORIZED[\s\S]*machine 127\.0\.0\.1 login/],
  ["a proxy that is not there", { proxy: "http://127.0.0.1:9" }, /UNREACHABLE/],
] as const) {
  for (const part of ["artifacts", "images", "packages"] as const) {
    test(`${what}: exit 4 for ${part}, and what to do`, async () => {
      const home = `${part} ${Object.keys(way).join("")}`;
      await fetchedBut(part, home);
      const { code, text } = await ferry("fetch", home, way);
      assert.equal(code, 4, text);
      assert.match(text, expected);
    });
  }
}

test("a proxy's wrong password is told as that", async () => {
  for (const part of ["artifacts", "images", "packages"] as const) {
    const home = `${part} password`;
    await fetchedBut(part, home);
    const { code, text } = await ferry("fetch", home, { proxy: `http://${proxy.host}` });
    assert.equal(code, 4, text);
    assert.match(text, /UNAUTHORIZED: the proxy wants other credentials[\s\S]*put NAME:SECRET@ before/);
  }
});

/** A home whose store has all that the first test fetched but one part. */
async function fetchedBut(part: "artifacts" | "images" | "packages", home: string): Promise<void> {
  const place = join(folder, home);
  cpSync(join(folder, "proxied"), place, { recursive: true });
  const lock = await readLock(config.replace(".yaml", ".lock"));
  assert.ok(lock !== null);
  const store = await Store.open(join(place, "cache"));
  for (const { digest } of lock[part]) rmSync(store.path(digest.slice("sha256:".length)));
}
