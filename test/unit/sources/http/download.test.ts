/** Downloads from a server on loopback that misbehaves as it is told. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { createReporter } from "#cli/reporter";
import { fetchRelease } from "../../../../builder/sources/fetch.ts";
import type { FetchedFile } from "../../../../builder/sources/fetched.ts";
import { HttpClient, type HttpSettings } from "../../../../builder/http/client.ts";
import { createHttpSource } from "../../../../builder/sources/http/http.ts";
import { Store } from "../../../../builder/store/store.ts";
import type { Lock } from "../../../../builder/lock/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-download-"));
after(() => rmSync(folder, { recursive: true }));

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 13) & 0xff));
const digest = digestOf(content);

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void;

interface Server {
  readonly url: string;
  /** What was asked: path, Range and Authorization of each request. */
  readonly asked: { path: string; range: string | undefined; authorization: string | undefined }[];
}

async function serve(handler: Handler): Promise<Server> {
  const asked: Server["asked"] = [];
  const server = createServer((request, response) => {
    const { range, authorization } = request.headers;
    asked.push({ path: request.url ?? "", range, authorization });
    handler(request, response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Answers as a file server does, with an ETag and Range. */
function file(request: IncomingMessage, response: ServerResponse, bytes = content, etag = '"1"'): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const asked = request.headers["if-range"];
  const partly = start > 0 && (asked === undefined || asked === etag);
  const body = partly ? bytes.subarray(start) : bytes;
  response.writeHead(partly ? 206 : 200, {
    etag,
    "content-length": body.length,
    ...(partly ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  response.end(body);
}

/** Sends a part of what it promised and, when the newest store has kept that, ends the connection. */
function cutAt(response: ServerResponse, length: number, etag = '"1"'): void {
  response.writeHead(200, { etag, "content-length": content.length });
  response.write(content.subarray(0, length));
  const partials = join(folder, `store-${stores}`, "partial");
  const look = setInterval(() => {
    if (!readdirSync(partials).some((name) => statSync(join(partials, name)).size === length)) return;
    clearInterval(look);
    response.socket?.end();
  }, 20);
}

interface Run {
  readonly sources: readonly string[];
  readonly store?: Store;
  readonly http?: HttpSettings;
  readonly size?: number | null;
  readonly digest?: string;
  readonly signal?: AbortSignal;
  readonly offline?: boolean;
  readonly mirrors?: readonly string[];
}

let stores = 0;
const newStore = (): Promise<Store> => Store.open(join(folder, `store-${(stores += 1)}`));
const quick: HttpSettings = { backoffMs: 1, stallMs: 20_000, attempts: 3 };
const said: string[] = [];
const reporter = createReporter({ out: { write: () => true }, err: { write: (text) => said.push(text) } });

async function run(options: Run): Promise<FetchedFile[]> {
  const [resolved = "", ...mirrors] = options.sources;
  const lock: Lock = {
    version: 1,
    release: "test",
    manifest: digest,
    platforms: ["linux/amd64"],
    locked: "2026-01-01",
    artifacts: [
      {
        component: "tool",
        version: "1",
        platform: "linux/amd64",
        from: resolved,
        resolved,
        mirrors,
        digest: options.digest ?? `sha256:${digest}`,
        size: options.size ?? null,
        pinnedBy: "release",
        files: { ".": "tool" },
      },
    ],
    images: [],
    packages: [],
    requests: [],
  };
  return await fetchRelease({
    lock,
    store: options.store ?? (await newStore()),
    mirrors: options.mirrors ?? [],
    offline: options.offline ?? false,
    reporter,
    signal: options.signal,
    http: { ...quick, ...options.http },
  });
}

test("a download is stored once and never asked for again", async () => {
  const server = await serve((request, response) => file(request, response));
  const store = await newStore();
  const first = await run({ sources: [`${server.url}/tool`], store });
  assert.deepEqual(
    first.map(({ name, digest: found, size, origin }) => ({
      name,
      found,
      size,
      url: origin.url,
      pinnedBy: origin.pinnedBy,
    })),
    [{ name: "tool", found: digest, size: content.length, url: `${server.url}/tool`, pinnedBy: "release" }],
  );
  assert.equal(digestOf(readFileSync(store.path(digest))), digest);
  assert.deepEqual(await run({ sources: [`${server.url}/tool`], store, offline: true }), first);
  assert.equal(server.asked.length, 1);
  assert.deepEqual(readdirSync(join(store.dir, "partial")), []);
});

test("a cut connection is resumed where it ended", async () => {
  const server = await serve((request, response, call) =>
    call === 1 ? cutAt(response, 180_000) : file(request, response),
  );
  await run({ sources: [`${server.url}/tool`] });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    [undefined, "bytes=180000-"],
  );
});

test("a server that does not know ranges is read anew", async () => {
  const server = await serve((_, response, call) => {
    if (call === 1) return cutAt(response, 180_000);
    response.writeHead(200, { "content-length": content.length }).end(content);
  });
  await run({ sources: [`${server.url}/tool`] });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    [undefined, "bytes=180000-"],
  );
});

test("a server that does not know ranges sends again what an earlier run has, and only the rest is kept", async () => {
  const store = await newStore();
  writeFileSync(join(store.dir, `partial/sha256-${digest}.free-00`), content.subarray(0, 250_000));
  const server = await serve((_, response) => response.end(content));
  await run({ sources: [`${server.url}/tool`], store });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    ["bytes=250000-"],
  );
});

test("a file that only looks new is gone on with", async () => {
  const server = await serve((request, response, call) =>
    call === 1 ? cutAt(response, 1000, '"old"') : file(request, response, content, '"new"'),
  );
  await run({ sources: [`${server.url}/tool`] });
  assert.equal(server.asked.length, 2);
});

for (const [how, length] of [
  ["in its bytes", content.length],
  ["and is shorter than what came of it", 900],
] as const) {
  test(`a file that changed meanwhile ${how} is read anew, never put together of two`, async () => {
    const changed = Buffer.from(content.map((byte) => byte ^ 1)).subarray(0, length);
    const server = await serve((request, response, call) =>
      call === 1 ? cutAt(response, 1000, '"old"') : file(request, response, changed, '"new"'),
    );
    const [found] = await run({ sources: [`${server.url}/tool`], digest: `sha256:${digestOf(changed)}` });
    assert.equal(found?.digest, digestOf(changed));
    assert.deepEqual(
      server.asked.map(({ range }) => range),
      [undefined, "bytes=1000-", undefined],
    );
  });
}

test("what nobody published a digest of is never put together of two contents", async () => {
  const changed = Buffer.from(content.map((byte) => byte ^ 1));
  const server = await serve((_, response, call) => (call === 1 ? cutAt(response, 1000) : response.end(changed)));
  await using http = new HttpClient(quick);
  const source = createHttpSource(http, await newStore());
  const found = await source.resolve({ url: `${server.url}/tool`, key: "first-use", size: null });
  assert.deepEqual(found, { digest: `sha256:${digestOf(changed)}`, size: changed.length });
});

test("a part that is longer than what the server has is thrown away", async () => {
  const store = await newStore();
  writeFileSync(join(store.dir, `partial/sha256-${digest}.free-00`), Buffer.alloc(400_000));
  const server = await serve((request, response) => {
    if (request.headers.range === undefined) file(request, response);
    else response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
  });
  await run({ sources: [`${server.url}/tool`], store });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    ["bytes=400000-", undefined],
  );
});

test("a part that is not of this content is thrown away and everything read anew, once", async () => {
  const store = await newStore();
  const other = Buffer.alloc(100_000, "x");
  writeFileSync(join(store.dir, `partial/sha256-${digest}.free-00`), other);
  const server = await serve((request, response) => file(request, response));
  await run({ sources: [`${server.url}/tool`], store });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    ["bytes=100000-", undefined],
  );
  assert.equal(await store.has(digest), true);
});

test("what may pass is tried again, and no more often than it is allowed", async () => {
  const twice = await serve((request, response, call) => {
    if (call < 3) response.writeHead(503).end();
    else file(request, response);
  });
  await run({ sources: [`${twice.url}/tool`] });
  assert.equal(twice.asked.length, 3);
  const always = await serve((_, response) => response.writeHead(503).end());
  await assert.rejects(run({ sources: [`${always.url}/tool`] }), { code: "UNREACHABLE", where: `${always.url}/tool` });
  assert.equal(always.asked.length, 3);
});

for (const [status, code] of [
  [404, "NOT_FOUND"],
  [403, "UNAUTHORIZED"],
  [400, "UNREACHABLE"],
] as const) {
  test(`${status} is not tried again`, async () => {
    const server = await serve((_, response) => response.writeHead(status).end());
    await assert.rejects(run({ sources: [`${server.url}/tool`] }), { code, where: `${server.url}/tool` });
    assert.equal(server.asked.length, 1);
  });
}

test("wrong bytes are never stored, not tried again, and shown with what was wanted", async () => {
  const wrong = Buffer.concat([content.subarray(1), Buffer.from("!")]);
  const server = await serve((request, response) => file(request, response, wrong));
  const store = await newStore();
  await assert.rejects(run({ sources: [`${server.url}/tool`], store }), {
    code: "DIGEST_MISMATCH",
    where: `${server.url}/tool`,
    expected: `sha256:${digest}`,
    found: `sha256:${digestOf(wrong)}`,
  });
  assert.equal(server.asked.length, 1);
  assert.equal(await store.has(digestOf(wrong)), false);
  assert.deepEqual(readdirSync(join(store.dir, "partial")), []);
});

test("a mirror with wrong bytes is told, and the next place taken", async () => {
  const bad = await serve((request, response) => file(request, response, Buffer.from("bad")));
  const good = await serve((request, response) => file(request, response));
  await run({ sources: [`${good.url}/tool`], mirrors: [bad.url] });
  assert.equal(good.asked.length, 1);
  assert.ok(said.some((text) => text.includes(bad.url) && text.includes("DIGEST_MISMATCH")));
});

test("a mirror is asked by host and path, by path, and by name, before upstream", async () => {
  const mirror = await serve((_, response) => response.writeHead(404).end());
  const upstream = await serve((request, response) => file(request, response));
  await run({ sources: [`${upstream.url}/releases/v1/tool`], mirrors: [`${mirror.url}/kubernetes/`] });
  const host = new URL(upstream.url).host;
  assert.deepEqual(
    mirror.asked.map(({ path }) => path),
    [`/kubernetes/${host}/releases/v1/tool`, "/kubernetes/releases/v1/tool", "/kubernetes/tool"],
  );
});

test("a stalled server is left for the next place", async () => {
  const stalled = await serve((_, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, 50_000));
  });
  const good = await serve((request, response) => file(request, response));
  await run({ sources: [`${stalled.url}/tool`, `${good.url}/tool`], http: { stallMs: 200 } });
  assert.equal(stalled.asked.length, 1);
  // What the stalled server gave is not asked for again.
  assert.deepEqual(
    good.asked.map(({ range }) => range),
    ["bytes=50000-"],
  );
});

test("of all that failed, wrong bytes are told before what was not there", async () => {
  const bad = await serve((request, response) => file(request, response, Buffer.from("bad")));
  const missing = await serve((_, response) => response.writeHead(404).end());
  await assert.rejects(run({ sources: [`${bad.url}/tool`, `${missing.url}/tool`] }), {
    code: "DIGEST_MISMATCH",
    where: `${bad.url}/tool`,
  });
});

test("a size that the lock does not have is refused before a byte is read", async () => {
  const server = await serve((request, response) => file(request, response));
  await assert.rejects(run({ sources: [`${server.url}/tool`], size: 12 }), {
    code: "SIZE_MISMATCH",
    expected: "12 bytes",
    found: "300000 bytes",
  });
});

test("a download without end is stopped at the limit", async () => {
  const server = await serve((_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await assert.rejects(run({ sources: [`${server.url}/tool`], http: { largest: 1_000_000 } }), { code: "TOO_LARGE" });
});

test("redirects are followed, and credentials stay with their host", async () => {
  const target = await serve((request, response) => file(request, response));
  const server = await serve((_, response) =>
    response.writeHead(302, { location: `${target.url.replace("127.0.0.1", "localhost")}/x` }).end(),
  );
  const netrc = [{ machine: "127.0.0.1", login: "me", password: "secret" }];
  await run({ sources: [`${server.url}/tool`], http: { netrc } });
  assert.equal(server.asked[0]?.authorization, `Basic ${Buffer.from("me:secret").toString("base64")}`);
  assert.equal(target.asked[0]?.authorization, undefined);
});

test("a circle of redirects ends", async () => {
  const server = await serve((_, response) => response.writeHead(302, { location: "/again" }).end());
  await assert.rejects(run({ sources: [`${server.url}/tool`] }), { code: "UNREACHABLE" });
});

test("a proxy is obeyed, except for hosts that need none", async () => {
  const upstream = await serve((request, response) => file(request, response));
  const proxied: string[] = [];
  const proxy = createServer((request, response) => {
    proxied.push(request.url ?? "");
    file(request, response);
  });
  proxy.on("connect", (request, socket) => {
    proxied.push(request.url ?? "");
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const to = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      to.pipe(socket).pipe(to);
    });
    for (const end of [to, socket]) end.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const httpProxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await run({ sources: [`${upstream.url}/tool`], http: { httpProxy } });
  assert.equal(proxied.length, 1);
  await run({ sources: [`${upstream.url}/tool`], http: { httpProxy, noProxy: "127.0.0.1" } });
  assert.equal(proxied.length, 1);
});

test("Ctrl-C leaves what came so far, and the next run goes on from there", async () => {
  const stop = new AbortController();
  const store = await newStore();
  const partial = join(store.dir, "partial");
  const sizes = (): number[] =>
    (existsSync(partial) ? readdirSync(partial) : [])
      .filter((name) => !name.endsWith(".json"))
      .map((name) => statSync(join(partial, name)).size);
  const server = await serve((request, response, call) => {
    if (call > 1) return file(request, response);
    response.writeHead(200, { etag: '"1"', "content-length": content.length });
    response.write(content.subarray(0, 120_000));
    // Not before all of it is on the disk, which takes as long as the machine is busy.
    const looking = setInterval(() => {
      if (sizes()[0] !== 120_000) return;
      clearInterval(looking);
      stop.abort();
    }, 20);
  });
  await assert.rejects(run({ sources: [`${server.url}/tool`], store, signal: stop.signal }), { name: "AbortError" });
  assert.deepEqual(sizes(), [120_000]);
  await run({ sources: [`${server.url}/tool`], store });
  assert.deepEqual(
    server.asked.map(({ range }) => range),
    [undefined, "bytes=120000-"],
  );
});

test("offline, only the store and folders are looked at, and what is missing is named", async () => {
  const server = await serve((request, response) => file(request, response));
  await assert.rejects(run({ sources: [`${server.url}/a/tool`], offline: true, mirrors: [server.url] }), {
    code: "OFFLINE",
    where: `${server.url}/a/tool`,
  });
  const mirror = mkdtempSync(join(folder, "mirror-"));
  writeFileSync(join(mirror, "tool"), content);
  const [found] = await run({ sources: [`${server.url}/a/tool`], offline: true, mirrors: [mirror] });
  assert.equal(found?.digest, digest);
  assert.equal(found?.origin.url, `${server.url}/a/tool`);
  assert.equal(server.asked.length, 0);
});

test("a server that is not there is tried again, then told", async () => {
  await assert.rejects(run({ sources: ["http://127.0.0.1:9/tool"] }), {
    code: "UNREACHABLE",
    where: "http://127.0.0.1:9/tool",
  });
});
