/** What no honest registry does, and what a bundle's images cannot be in one: told, and no credential leaves for elsewhere. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BundleIndex, openBundle } from "#bundle";
import { registriesFor, snippetLines } from "../../../builder/registry/mirror-snippet.ts";
import { parseDestination, mirrorOf } from "../../../builder/registry/destination.ts";
import { writeImageBundle } from "../../builders/image-bundle.ts";
import { writeNodeBundle } from "../../builders/node-bundle.ts";
import { type Ran, runKubeferry } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-hostile-registry-"));
const servers: Server[] = [];
const layers = [{ "a.txt": "a\n" }];
let bundle: string;

before(async () => {
  mkdirSync(join(folder, "bundle"));
  ({ path: bundle } = await writeImageBundle(join(folder, "bundle"), { "quay.example/team/app:1.0": layers }));
  writeFileSync(join(folder, "login"), "me:s3cret-word", { mode: 0o600 });
});
after(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** A registry that has nothing, wants credentials, and answers an upload as told; its log has every request with them. */
async function registry(
  upload: (incoming: IncomingMessage, response: ServerResponse) => void,
): Promise<{ host: string; log: string[] }> {
  const log: string[] = [];
  const server = createServer((incoming, response) => {
    incoming.resume();
    log.push(`${incoming.method} ${incoming.headers.authorization === undefined ? "-" : "credentials"}`);
    if (incoming.headers.authorization === undefined)
      response.writeHead(401, { "www-authenticate": 'Basic realm="plant"' }).end();
    else if (incoming.method === "HEAD") response.writeHead(404).end();
    else upload(incoming, response);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, log };
}

async function push(from: string, to: string): Promise<Ran & { error: string | undefined }> {
  const login = ["--credentials", join(folder, "login"), "--cache", join(folder, "cache")];
  const ran = await runKubeferry(["push-images", from, "--to", to, ...login]);
  assert.ok(!`${ran.out}${ran.err}`.includes("s3cret-word"));
  return { ...ran, error: /error ([A-Z_]+: .*)/.exec(ran.err)?.[1] };
}

test("an upload that a registry leads to another host, port or scheme is refused, and nothing is asked there; nor is a blob sent that is not kept", async () => {
  const other = await registry((_, response) => response.writeHead(201).end());
  for (const location of [`http://${other.host}/upload`, `https://127.0.0.1/upload`, "", "file:///etc/passwd"]) {
    const { host } = await registry((_, response) => response.writeHead(202, { location }).end());
    const { code, error = "" } = await push(bundle, host);
    assert.equal(code, 4, location);
    assert.match(error, /^UNREACHABLE: the registry leads the upload to ".*", which is refused/);
  }
  const accepts = await registry((_, response) => response.writeHead(202, { location: "/v2/upload" }).end());
  assert.equal((await push(bundle, accepts.host)).error, "UNREACHABLE: the registry answered 202");
  assert.deepEqual(other.log, []);
});

test("a proxy that bounds bodies, a project that is not there, a manifest that is kept as another: each in its words", async () => {
  const uploads = (put: (response: ServerResponse) => void) => async (): Promise<string> => {
    const { host } = await registry((incoming, response) => {
      if (incoming.method === "POST") response.writeHead(202, { location: "/v2/upload?state=1" }).end();
      else put(response);
    });
    return (await push(bundle, host)).error ?? "";
  };
  assert.match(await uploads((response) => response.writeHead(413).end())(), /^TOO_LARGE: a proxy in front/);
  const errors = [{ code: "NAME_UNKNOWN", message: "project plant not found" }];
  const words = await uploads((response) => response.writeHead(404).end(JSON.stringify({ errors })))();
  assert.equal(words, "UNREACHABLE: the registry answered 404: NAME_UNKNOWN: project plant not found");
  const digest = `sha256:${"0".repeat(64)}`;
  const kept = await uploads((response) => response.writeHead(201, { "docker-content-digest": digest }).end())();
  assert.match(kept, /^DIGEST_MISMATCH: the registry keeps another manifest/);
});

test("images that would be one there, and a bundle without any, are refused before the registry is asked", async () => {
  mkdirSync(join(folder, "alike"));
  const alike = { "docker.io/team/app:1.0": layers, "quay.example/team/app:1.0": [{ "b.txt": "b\n" }] };
  const { path } = await writeImageBundle(join(folder, "alike"), alike);
  const none = await writeNodeBundle(join(folder, "none.tar"));
  const { host, log } = await registry((_, response) => response.writeHead(500).end());
  const both = await push(path, host);
  assert.deepEqual([both.code, log], [3, []]);
  assert.match(both.error ?? "", /CONFIG_INVALID: docker.io\/team\/app:1.0 and quay.example\/team\/app:1.0 differ/);
  const empty = await push(none, host);
  assert.deepEqual([empty.code, empty.error, log], [2, "USAGE: this bundle carries no images", []]);
});

test("what cluster.yaml is told: docker knows a mirror for docker.io alone, and none with a path", async () => {
  const { index } = await openBundle(bundle);
  const docker: BundleIndex = {
    ...index,
    pods: { kubelet: null, containerd: null, docker: "/var/lib/docker", for: { roles: ["worker"] } },
  };
  const images = ["docker.io/library/nginx:1", "quay.example/team/app:1.0"].map((name) => {
    const [domain = "", ...rest] = name.split("/");
    const reference = { domain, repository: rest.join("/").slice(0, -2), tag: "1", digest: null };
    return { name, reference, top: { digest: "0".repeat(64), mediaType: "", bytes: Buffer.alloc(0) }, platforms: [] };
  });
  const told = (to: string, of: BundleIndex): string[] => {
    const destination = parseDestination(to);
    return snippetLines(registriesFor(images as never, { host: destination.host, url: mirrorOf(destination) }, of));
  };
  const mirror = '{ mirrors: ["https://registry.plant:5000"] }';
  assert.deepEqual(told("registry.plant:5000", docker), ["registries:", `  "docker.io": ${mirror}`]);
  assert.deepEqual(told("registry.plant:5000/team", docker), []);
  assert.deepEqual(told("registry.plant:5000/", index), [
    "registries:",
    `  "docker.io": ${mirror}`,
    `  "quay.example": ${mirror}`,
  ]);
});
