/** `serve-images`: skopeo, containerd and curl read a bundle's images from it, and what is damaged is never sent as good. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Agent, request } from "undici";
import { digestOf, openBundle } from "#bundle";
import { Store } from "../../builder/store/store.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type ImageBundle, writeImageBundle } from "../builders/image-bundle.ts";
import { makeOwnCa, type OwnCa } from "../builders/own-ca.ts";
import type { OutputRecord } from "../../builder/output-records.ts";
import { runKubeferry } from "../programs/command.ts";
import { recordsOf } from "../programs/json-lines.ts";
import { requirePackages } from "../programs/packages.ts";
import { placeHosts, startContainerd } from "../servers/containerd.ts";
import { skopeo } from "../servers/registry.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-serve-images-"));
const path = (name: string): string => join(folder, name);
const program = join(import.meta.dirname, "../../builder/main.ts");
const [base, pause] = ["quay.example/team/base:1.0", "registry.k8s.io/pause:3.10"] as const;
const size = 2_500_000;
let bundle: ImageBundle;
let ca: OwnCa;
let server: Serving;
const children: ChildProcess[] = [];

interface Serving {
  /** `https://127.0.0.1:34567` */
  readonly url: string;
  readonly host: string;
  readonly registries: Record<string, { mirrors?: string[] }>;
  /** SIGTERM; its exit code, and what it printed, checked against the published schema. */
  stop(): Promise<{ code: number | null; records: OutputRecord[] }>;
}

async function serve(cache: string, ...options: string[]): Promise<Serving> {
  const words = ["serve-images", bundle.path, "--listen", "127.0.0.1:0", "--cache", cache, "--json", ...options];
  const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let out = "";
  const serving = await new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      out += `${line}\n`;
      const record = JSON.parse(line) as Record<string, unknown>;
      if (record["type"] === "serving") resolve(record);
    });
    child.stderr.resume();
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${out}`)));
  });
  const url = String(serving["url"]);
  return {
    url,
    host: new URL(url).host,
    registries: serving["registries"] as Serving["registries"],
    async stop() {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      const [code] = (await ended) as [number | null];
      return { code, records: recordsOf(out, code) };
    },
  };
}

before(async () => {
  requirePackages("skopeo", "openssl");
  const shared = { "shared.bin": randomBytes(size) };
  const images = { [base]: [shared], [pause]: [{ "pause.txt": "a pause\n" }] };
  bundle = await writeImageBundle(folder, images, ["linux/amd64", "linux/arm64"]);
  ca = makeOwnCa(path("ca"));
  server = await serve(path("cache"), "--tls-cert", ca.tls.certificate, "--tls-key", ca.tls.key);
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const anyCertificate = new Agent({ connect: { rejectUnauthorized: false } });

async function ask(place: string, options: { method?: "GET" | "HEAD" | "PUT" | "POST"; range?: string } = {}) {
  const { method = "GET", range } = options;
  const headers = range === undefined ? {} : { range };
  const {
    statusCode,
    headers: found,
    body,
  } = await request(`${server.url}${place}`, {
    method,
    headers,
    dispatcher: anyCertificate,
  });
  return { status: statusCode, headers: found, body: Buffer.from(await body.arrayBuffer()) };
}

/** The digest of the one large layer, as the served manifest names it. */
async function largeLayer(): Promise<string> {
  const amd64 = bundle.images.find(({ name }) => name === base)?.digest ?? "";
  const manifest = await ask(`/v2/team/base/manifests/${amd64}`);
  const { layers } = JSON.parse(manifest.body.toString()) as { layers: { digest: string; size: number }[] };
  return layers.toSorted((a, b) => b.size - a.size)[0]?.digest ?? "";
}

test("skopeo copies each platform's image, with the digests of the bundle, and lists the tags", () => {
  const at = `docker://${server.host}/team/base:1.0`;
  for (const { name, digest, for: to } of bundle.images) {
    const [, architecture = ""] = to.platforms?.[0]?.split("/") ?? [];
    const copy = path(`copy-${name.replaceAll(/\W/g, "-")}-${architecture}`);
    const from = `docker://${server.host}/${name.slice(name.indexOf("/") + 1)}`;
    skopeo(`--override-arch=${architecture}`, "copy", "--src-tls-verify=false", from, `oci:${copy}:1`);
    const raw = skopeo("inspect", "--raw", `oci:${copy}:1`);
    assert.equal(`sha256:${digestOf(raw)}`, digest);
  }
  const certificates = path("certificates");
  mkdirSync(certificates, { recursive: true });
  copyFileSync(ca.ca, join(certificates, "ca.crt"));
  assert.deepEqual(JSON.parse(skopeo("list-tags", `--cert-dir=${certificates}`, at.slice(0, -4))), {
    Repository: `${server.host}/team/base`,
    Tags: ["1.0"],
  });
});

test("containerd pulls by upstream's names, with the `registries:` that it prints", async () => {
  const { [server.host]: own, ...others } = server.registries;
  assert.deepEqual(Object.keys(others), ["quay.example", "registry.k8s.io"]);
  const hosts = await hostsFor({ ...others, [server.host]: { ...own, ca: ca.ca } });
  const containerd = await startContainerd(folder);
  try {
    for (const name of [base, pause]) assert.deepEqual(containerd.pull(hosts, name), { code: 0, said: "" });
  } finally {
    await containerd.stop();
  }
});

test("the protocol's small print: HEAD, ranges, tags, the catalogue, and nothing that changes anything", async () => {
  assert.equal((await ask("/v2/")).status, 200);
  assert.deepEqual(JSON.parse((await ask("/v2/_catalog")).body.toString()), { repositories: ["pause", "team/base"] });
  assert.deepEqual(JSON.parse((await ask("/v2/_catalog?n=1&last=pause")).body.toString()), {
    repositories: ["team/base"],
  });
  const top = await ask("/v2/pause/manifests/3.10", { method: "HEAD" });
  assert.deepEqual(
    [top.status, top.headers["content-type"], top.body.length],
    [200, "application/vnd.oci.image.index.v1+json", 0],
  );
  const index = await ask(`/v2/pause/manifests/${String(top.headers["docker-content-digest"])}`);
  assert.equal(index.body.length, Number(top.headers["content-length"]));
  const digest = await largeLayer();
  const whole = await ask(`/v2/team/base/blobs/${digest}`);
  assert.equal(`sha256:${digestOf(whole.body)}`, digest);
  for (const [range, from, to] of [
    ["bytes=0-99", 0, 100],
    ["bytes=1000000-", 1_000_000, undefined],
    ["bytes=-7", -7, undefined],
  ] as const) {
    const part = await ask(`/v2/team/base/blobs/${digest}`, { range });
    assert.equal(part.status, 206, range);
    assert.ok(part.body.equals(whole.body.subarray(from, to)), range);
  }
  assert.equal((await ask(`/v2/team/base/blobs/${digest}`, { range: "bytes=99999999-" })).status, 416);
  for (const [place, status] of [
    ["/", 404],
    ["/v2/team/none/tags/list", 404],
    ["/v2/team/base/manifests/9.9", 404],
    [`/v2/pause/blobs/${digest}`, 404],
    ["/v2/team/base/blobs/../../../etc/passwd", 404],
    ["/v2/pause/manifests/3.10?ns=quay.example", 404],
    ["/v2/pause/manifests/3.10?ns=registry.k8s.io", 200],
    ["//", 404],
  ] as const)
    assert.equal((await ask(place)).status, status, place);
  for (const method of ["PUT", "POST"] as const)
    assert.equal((await ask("/v2/pause/blobs/uploads/", { method })).status, 405);
});

test("a stored copy that is damaged behind its back is cut off, told, and taken anew by the next run", async () => {
  const store = await Store.open(path("other-cache"));
  const own = await serve(store.dir);
  const digest = await largeLayer();
  const url = `${own.url}/v2/team/base/blobs/${digest}`;
  const { index } = await openBundle(bundle.path);
  for (const { path: archive } of bundle.images.filter(({ name }) => name === base)) {
    const stored = store.path(index.files.find((file) => file.path === archive)?.digest ?? "");
    const fd = openSync(stored, "r+");
    writeSync(fd, "damaged", 1_000_000);
    closeSync(fd);
  }
  const curl = spawnSync("curl", ["-sS", "-o", path("got"), url], { encoding: "utf8" });
  assert.equal(curl.status, 18, curl.stderr); // Transferred a partial file.
  const { code, records } = await own.stop();
  assert.equal(code, 0);
  assert.deepEqual(
    records.flatMap((one) => (one.type === "error" ? [one.code] : [])),
    ["DIGEST_MISMATCH"],
  );
  assert.ok(records.some(({ type }) => type === "served"));
  const again = await serve(store.dir);
  assert.equal(spawnSync("curl", ["-sS", "-o", path("got"), `${again.url}/v2/team/base/blobs/${digest}`]).status, 0);
  assert.equal(`sha256:${digestOf(readFileSync(path("got")))}`, digest);
  assert.equal((await again.stop()).code, 0);
});

test("how it may be called: no other address without TLS or --plain-http, a pair of files, an address of this machine", async () => {
  const said = async (listen: string, ...options: string[]): Promise<unknown[]> => {
    const ran = await runKubeferry([
      "serve-images",
      bundle.path,
      "--cache",
      path("cache"),
      "--listen",
      listen,
      ...options,
    ]);
    return [ran.code, /error ([A-Z_]+)/.exec(ran.err)?.[1]];
  };
  const { certificate, key } = ca.tls;
  assert.deepEqual(await said("10.64.0.2:5000"), [2, "USAGE"]);
  assert.deepEqual(await said("127.0.0.1:0", "--tls-cert", certificate), [2, "USAGE"]);
  assert.deepEqual(await said(server.host), [2, "USAGE"]);
  assert.deepEqual(await said("192.0.2.1:0", "--plain-http"), [2, "USAGE"]);
  assert.deepEqual(await said("127.0.0.1"), [2, "USAGE"]);
  assert.deepEqual(await said("127.0.0.1:0", "--tls-cert", certificate, "--tls-key", join(dirname(key), "ca.key")), [
    3,
    "CONFIG_INVALID",
  ]);
  writeFileSync(path("open.key"), readFileSync(key), { mode: 0o644 });
  assert.deepEqual(await said("127.0.0.1:0", "--tls-cert", certificate, "--tls-key", path("open.key")), [6, "DENIED"]);
});

/** certs.d of a node whose cluster.yaml has these `registries:`. */
async function hostsFor(registries: unknown): Promise<string> {
  const cluster = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-single-node/cluster.yaml"), "utf8");
  const config = await fixtureCluster(`${cluster}registries: ${JSON.stringify(registries)}\n`);
  return placeHosts(renderFixture(config), "n1", path("hosts"));
}
